import { nanoid } from 'nanoid'
import { KuberunError } from '../errors.ts'
import type { Exec, Target } from '../exec/exec.ts'
import { quote } from '../exec/quote.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { syncPath } from '../pod/workspace.ts'
import { encodePath } from './path.ts'
import { openScript } from './pod-script.ts'
import { parseScan, type RemoteListing, scanFunction } from './remote-scan.ts'

/** As much a listing, or a list of hashes, may be: of a million files or two. */
const mostOutput = 256 * 1024 ** 2
/** How much of what is complained of is kept. */
const mostWords = 2_000
/** How many bytes the words of one command may have; Linux takes two million by default. */
const longestCommand = 500_000

/** What a command in the pod said besides its output. */
export interface Said {
  stderr: string
  /** Its exit code, once it has ended. */
  code?: number
}

/** What there is in the remote root. Each question is an exec of its own. */
export class RemoteFiles {
  readonly #client: KubeClient
  readonly #place: { target: Target; shell: Shell; signal: AbortSignal }

  constructor(client: KubeClient, place: { target: Target; shell: Shell; signal: AbortSignal }) {
    this.#client = client
    this.#place = place
  }

  /**
   * Lists all that is there.
   * @throws {KuberunError} `sync` where it could not be listed as a whole; what the connection was lost by
   */
  async scan(): Promise<RemoteListing> {
    const token = nanoid()
    const said: Said = { stderr: '' }
    const output = await this.#collect(`${scanFunction}\nscan ${token}\n`, said)
    if (said.code !== 0) throw failure('the folder in the pod could not be listed', said)
    return parseScan(output, token)
  }

  /** One tar archive of these files, in their order. What is not there any more is missing in it, and complained of. */
  async *archive(paths: readonly string[], said: Said): AsyncGenerator<Buffer, void, undefined> {
    // GNU's would take `\\n` in a name for a line break; BusyBox's knows no such option, and does not need it.
    const literally = paths.some((path) => path.includes('\\'))
      ? 'u=--no-unquote; tar $u --version >/dev/null 2>&1 || u=\n'
      : 'u=\n'
    const script = `${literally}exec tar $u -cf - -- ${paths.map(quote).join(' ')}\n`
    yield* stdoutOf(await this.#open(script), said)
  }

  /** @returns by path, the SHA-256 of these files in hexadecimal; without those that it could not be found out of */
  async hash(paths: readonly string[]): Promise<Map<string, string>> {
    const hashes = new Map<string, string>()
    for (const some of inCommands(paths)) {
      const output = await this.#collect(`exec sha256sum -- ${some.map(quote).join(' ')}\n`, { stderr: '' })
      const lines = new Map(
        output
          .toString('latin1')
          .split('\n')
          .map((line) => [line.slice(66), line.slice(0, 64)] as const),
      )
      for (const path of some) {
        // A name with a line break, or a backslash, is not there as it is: nobody knows.
        const hash = lines.get(encodePath(path).toString('latin1'))
        if (hash !== undefined && /^[0-9a-f]{64}$/.test(hash)) hashes.set(path, hash)
      }
    }
    return hashes
  }

  async #collect(script: string, said: Said): Promise<Buffer> {
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of stdoutOf(await this.#open(script), said)) {
      length += piece.length
      if (length > mostOutput) throw new KuberunError('sync', 'the folder in the pod has too many files to be listed')
      pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  #open(script: string): Promise<Exec> {
    return openScript(this.#client, {
      ...this.#place,
      name: 'kuberun-back',
      before: `export LC_ALL=C; cd ${syncPath}/root || exit; `,
      script: `exec </dev/null\n${script}`,
    })
  }
}

/** In parts that one command takes. */
export function inCommands(paths: readonly string[]): string[][] {
  const parts: string[][] = []
  let left = 0
  for (const path of paths) {
    // A pointer to it, and its end.
    const size = encodePath(path).length + 9
    if (parts.length === 0 || size > left) {
      parts.push([])
      left = longestCommand
    }
    left -= size
    parts.at(-1)?.push(path)
  }
  return parts
}

async function* stdoutOf(exec: Exec, said: Said): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (;;) {
      const next = await exec.output.next()
      if (next.done) {
        if (next.value.kind === 'failed') throw next.value.error
        said.code = next.value.code
        return
      }
      const { channel, data } = next.value
      if (channel === 1) yield data
      else said.stderr = (said.stderr + data.toString()).slice(-mostWords)
    }
  } finally {
    exec.close()
  }
}

/** What failed, in the pod's words. */
export function failure(what: string, { stderr, code }: Said, cause?: unknown): KuberunError {
  const lines = stderr.split('\n').filter((line) => line !== '')
  const words = lines.length > 0 ? lines.slice(0, 3).join('; ') : `exit code ${code}`
  return new KuberunError('sync', `${what}: ${words}`, { cause })
}
