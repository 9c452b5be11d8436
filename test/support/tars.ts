import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** A tar of this machine. */
export interface Tar {
  name: string
  command: readonly string[]
  /** Why it cannot be tested here. */
  skip: string | false
}

export const tars: readonly Tar[] = [
  { name: 'GNU tar', command: ['tar'], skip: says(['tar', '--version'], 'GNU tar') },
  { name: 'BusyBox', command: ['busybox', 'tar'], skip: says(['busybox', '--list'], 'tar') },
]

const nobody = 65534

/** Extracts as an ephemeral pod does; by root as somebody who is not, where `asNobody`. */
export async function extract(tar: Tar, archive: Buffer, options: { into: string; asNobody?: boolean }): Promise<void> {
  const ids = options.asNobody === true && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  const script = 'umask 0; exec "$@" -x -p -o -f -'
  const child = spawn('sh', ['-c', script, 'sh', ...tar.command], {
    cwd: options.into,
    stdio: ['pipe', 'ignore', 'pipe'],
    ...ids,
  })
  child.stdin.end(archive)
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  // GNU tar remarks on times to come: between two machines that is a clock that is fast. And on those before 1970.
  const complaints = said.replaceAll(/^.*: (time stamp .* s in the future|implausibly old time stamp .*)\n/gm, '')
  if (code !== 0 || complaints !== '') throw new Error(`${tar.name} ended with ${code}: ${complaints}`)
}

function says([program = '', ...words]: string[], what: string): string | false {
  try {
    return execFileSync(program, words, { encoding: 'utf8' }).includes(what) ? false : `${program} is no ${what}`
  } catch {
    return `there is no ${program} here`
  }
}
