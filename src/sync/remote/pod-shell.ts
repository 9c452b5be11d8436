import { nanoid } from 'nanoid'
import { KuberunError } from '../../errors.ts'
import { type Exec, type OutputFrame, openExec, type Target } from '../../exec/exec.ts'
import type { ExitStatus } from '../../exec/exit-status.ts'
import type { ExecInput } from '../../exec/input.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Shell } from '../../pod/shell.ts'
import { syncPath } from '../../pod/workspace.ts'
import { encodePath } from '../path.ts'
import { Marked } from './marked.ts'
import { answered, begun } from './patience.ts'

/** How much of what is complained of is kept, of hundreds of files at once: what was said last, in whole lines. */
const mostWords = 1024 ** 2

/** How long a script may say nothing, in milliseconds: one that waits for a disk that is gone would hold us for ever. */
const minutes = 5 * 60_000
/** As much comes after the mark on stdout. */
const longestCode = 8
/** What a script complains of, in bytes, at most: of hundreds of thousands of files. */
const mostComplaints = 64 * 1024 ** 2

/** What a script said besides its output. */
export interface Said {
  stderr: string
  /** Its exit code, once it has ended. */
  code?: number | undefined
}

export interface PodShellPlace {
  target: Target
  shell: Shell
  signal: AbortSignal
  /** How long a script may say nothing, in milliseconds. */
  longestSilence?: number
}

interface Session {
  exec: Exec
  input: ExecInput
  /** Ends what each script writes, on stdout and on stderr. Nobody can guess it. */
  mark: string
  longestSilence: number
}

/**
 * A shell in the remote root that runs one script after the other, all in one exec: to open one takes several times what
 * a listing does. One that has failed is followed by a new one.
 */
export class PodShell {
  readonly #client: KubeClient
  readonly #place: PodShellPlace
  #session: Session | undefined

  constructor(client: KubeClient, place: PodShellPlace) {
    this.#client = client
    this.#place = place
  }

  /**
   * Runs a script that changes nothing, not before the last one has ended. One that is not read to its end is ended with
   * the shell.
   * @param script in the encoding of paths
   * @returns its stdout
   * @throws {KuberunError} `connection` where it is not known how it ended, `sync` where it says nothing for minutes
   */
  async *run(script: string, said: Said): AsyncGenerator<Buffer, void, undefined> {
    const isOld = this.#session !== undefined
    let isBegun = false
    try {
      for await (const piece of this.#runOnce(script, said)) {
        isBegun = true
        yield piece
      }
    } catch (error) {
      // Of a connection that broke while it was idle, the next script finds out.
      if (!isOld || isBegun || this.#place.signal.aborted) throw error
      yield* this.#runOnce(script, said)
    }
  }

  close(): void {
    this.#session?.exec.close()
    this.#session = undefined
  }

  async *#runOnce(script: string, said: Said): AsyncGenerator<Buffer, void, undefined> {
    const session = (this.#session ??= await this.#open())
    let hasEnded = false
    try {
      Object.assign(said, { stderr: '', code: undefined })
      const bytes = encodePath(script)
      await session.input.write(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]))
      yield* outputOf(session, said)
      hasEnded = true
    } finally {
      if (!hasEnded) this.close()
    }
  }

  async #open(): Promise<Session> {
    const { target, shell, signal, longestSilence = minutes } = this.#place
    const mark = `\u0001${nanoid()} `
    const command = [...shell.command, '-c', shell.setup + loop, 'kuberun-back', mark.slice(1, -1)]
    const exec = await openExec(this.#client, { target, command, stdin: true, tty: false, signal })
    return begun(exec, async () => {
      const session = { exec, mark, longestSilence, input: exec.input({ framed: false }) }
      const said: Said = { stderr: '' }
      for await (const _ of outputOf(session, said));
      if (said.code !== 0) throw new KuberunError('sync', `cannot work in the pod’s folder: ${said.stderr.trim()}`)
      return session
    })
  }
}

const loop = `
export LC_ALL=C
end() { printf '\\001%s %d\\n' "$1" "$2"; printf '\\001%s ' "$1" >&2; }
cd ${syncPath}/root
end "$1" $?
while read -r n; do
  s=$(dd bs="$n" count=1 iflag=fullblock 2>/dev/null; echo .)
  (cd ${syncPath}/root && eval "\${s%.}") </dev/null
  end "$1" $?
done`

/** Reads to the mark on both streams: which of the two comes first, nobody knows. */
async function* outputOf(session: Session, said: Said): AsyncGenerator<Buffer, void, undefined> {
  const [stdout, stderr] = [new Marked(session.mark), new Marked(session.mark)]
  let complaints = 0
  while (!stderr.isFound || said.code === undefined) {
    const next = await answered(session.exec, () => session.exec.output.next(), session.longestSilence, silent(session))
    if (next.done === true) throw ended(next.value, said)
    const { channel, data } = next.value satisfies OutputFrame
    if (channel === 2) {
      complaints += data.length
      if (complaints > mostComplaints) throw nonsense()
      for (const piece of stderr.before(data)) said.stderr = lastOf(said.stderr + piece.toString('latin1'))
      continue
    }
    yield* stdout.before(data)
    const code = /^(\d+)\n$/.exec(stdout.after)?.[1]
    if (code !== undefined) said.code = Number(code)
    else if (stdout.after.length > longestCode) throw nonsense()
  }
}

function lastOf(words: string): string {
  return words.length <= mostWords ? words : words.slice(-mostWords).replace(/^[^\n]*\n/, '')
}

function nonsense(): KuberunError {
  return new KuberunError('sync', 'what the pod tells of its folder makes no sense')
}

function silent({ longestSilence }: Session): (cause: unknown) => KuberunError {
  const why = `the folder in the pod could not be read: nothing was heard of it for ${longestSilence / 1000} s`
  return (cause) => new KuberunError('sync', why, { cause })
}

function ended(status: ExitStatus, { stderr }: Said): Error {
  if (status.kind === 'failed') return status.error
  const words = stderr.trim() === '' ? `exit code ${status.code}` : stderr.trim()
  return new KuberunError('connection', `the process that reads the folder in the pod has ended: ${words}`)
}
