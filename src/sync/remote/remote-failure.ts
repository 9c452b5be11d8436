import { KuberunError } from '../../errors.ts'

const remedies: readonly [RegExp, string][] = [
  [
    // GNU tar does not always say why it wrote no more.
    /no space left|quota exceeded|wrote only/i,
    'the disk of its node is full, or the limit of its volume: send less (--plan shows what goes), or run it elsewhere',
  ],
  [/permission denied|not permitted|read-only/i, 'the command’s user must be able to write there: see --overrides'],
]

/** The sync process did not end by itself: what its own commands fail of, it tells. */
export function killed(code: number): KuberunError {
  return new KuberunError('pod', `the sync process in the pod was killed (exit code ${code})`)
}

/** GNU tar's on times to come: where our clock is fast, on those of every file; and on times before 1970. */
const remark = / s in the future$|: implausibly old time stamp /

/** What the remote script's commands have failed of, by what they said on stderr. */
export function writeFailure(stderr: string, remoteDir: string): KuberunError {
  const lines = stderr.split('\n').filter((line) => line !== '' && !remark.test(line))
  const words = lines.length > 0 ? lines.slice(0, 3).join('; ') : 'its process ended without a word'
  // The script knows it as `root`.
  const named = words.replaceAll(/(?<=^|[\s'"‘])root(?=[/:])/g, remoteDir)
  const [, hint] = remedies.find(([pattern]) => pattern.test(stderr)) ?? []
  return new KuberunError('sync', `the files could not be written to ${remoteDir} in the pod: ${named}`, {
    ...(hint !== undefined && { hint }),
  })
}
