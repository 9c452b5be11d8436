import { type Exec, openExec, type Target } from '../../exec/exec.ts'
import type { ExecInput } from '../../exec/input.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Shell } from '../../pod/shell.ts'
import { encodePath } from '../path.ts'
import { Conversation } from './conversation.ts'
import { FrameWriter } from './frames.ts'
import { begun } from './patience.ts'
import { remoteScript } from './remote-script.ts'

/** Something for the remote script to do, with the archives that its commands unpack. */
export interface RemoteWork {
  commands: readonly string[]
  archives: readonly AsyncIterable<Buffer>[]
}

/** Where a sync exec works. */
export interface RemotePlace {
  target: Target
  shell: Shell
  /** What the user calls the remote root. */
  remoteDir: string
  /** Programs that must be there beside those that it needs itself. */
  also?: readonly string[]
  /** How long it may take to begin, in milliseconds. */
  patience?: number
  signal: AbortSignal
}

/** A program that a sync needs is not in the image. */
export class MissingPrograms extends Error {
  override readonly name = 'MissingPrograms'
}

/**
 * The sync exec: one process in the container that lives as long as the run and does one request after the other.
 *
 * A failure ends it, as nobody knows then how much of its stdin was read; nor what it has done of its last request.
 */
export class Remote {
  /** Aborts when it has ended, with the reason. */
  readonly over: AbortSignal
  readonly #exec: Exec
  readonly #conversation: Conversation
  readonly #input: ExecInput
  readonly #frames: FrameWriter
  readonly #answers = new Map<number, PromiseWithResolvers<number[]>>()
  readonly #over = new AbortController()
  /** The last request, on its way: one goes behind the other. */
  #sending = Promise.resolve()
  #number = 0

  private constructor(exec: Exec, conversation: Conversation, { mayZip }: { mayZip: boolean }) {
    this.over = this.#over.signal
    this.#exec = exec
    this.#conversation = conversation
    this.#input = exec.input({ framed: false })
    this.#frames = new FrameWriter((data) => this.#write(data), { mayZip })
    void this.#listen()
  }

  /**
   * Starts it, and waits until it says that it can work.
   *
   * @throws {MissingPrograms} the message names them
   * @throws {KuberunError} `sync` when its volume cannot be written; or what the exec was refused with
   */
  static async open(client: KubeClient, where: RemotePlace): Promise<Remote> {
    const { target, shell, remoteDir, also = [], signal } = where
    const setup = `${shell.setup}also='${also.join(' ')}'\n`
    const command = [...shell.command, '-c', setup + remoteScript, 'kuberun-sync']
    const exec = await openExec(client, { target, command, stdin: true, tty: false, signal })
    const conversation = new Conversation(exec, remoteDir)
    return begun(
      exec,
      async () => {
        const first = await conversation.next()
        const [, zip, missing = ''] = /^ready (\w*):(.*)$/.exec(first ?? '') ?? []
        if (zip === undefined) {
          // What it complains of is all here only when it has ended.
          for (let line = first; line !== undefined; ) line = await conversation.next()
          throw conversation.failure()
        }
        if (missing !== '') throw new MissingPrograms(missing.trim().replaceAll(' ', ', '))
        return new Remote(exec, conversation, { mayZip: zip !== '' })
      },
      where.patience,
    )
  }

  /**
   * Has it done, all of it, after what was requested before.
   * @returns the numbers of what was spared
   * @throws {KuberunError} `sync` where a command failed; `pod` where it was killed; what the connection was lost by
   */
  async request({ commands, archives }: RemoteWork): Promise<number[]> {
    this.over.throwIfAborted()
    const number = ++this.#number
    const answer = Promise.withResolvers<number[]>()
    this.#answers.set(number, answer)
    const script = [...commands, `end ${number}`].join(' &&\n')
    const sending = this.#sending.then(() => this.#send(number, script, archives))
    // One that fails is the failure of all that were to come after it.
    this.#sending = sending
    sending.catch(() => {})
    // The answer may come before all is sent where it is a failure.
    const [spared] = await Promise.all([answer.promise, Promise.race([sending, answer.promise])])
    return spared
  }

  close(): void {
    this.#exec.close()
  }

  async #send(number: number, text: string, archives: readonly AsyncIterable<Buffer>[]): Promise<void> {
    const script = encodePath(text)
    await this.#write(Buffer.concat([Buffer.from(`${number} ${script.length}\n`), script]))
    for (const archive of archives) await this.#frames.send(archive)
    await this.#write(Buffer.from(`end ${number}\n`))
  }

  /** What is written to a connection that is gone goes nowhere: nobody is to read on for it. */
  async #write(data: Buffer): Promise<void> {
    this.over.throwIfAborted()
    await this.#input.write(data)
  }

  async #listen(): Promise<void> {
    try {
      for (let line = await this.#conversation.next(); line !== undefined; line = await this.#conversation.next()) {
        const [number = '', code, ...spared] = line.split(' ')
        // After a failure it ends, and only then all that it complained of is here.
        if (code !== '0') continue
        this.#answers.get(Number(number))?.resolve(spared.map(Number))
        this.#answers.delete(Number(number))
        this.#conversation.stderr = ''
      }
      throw this.#conversation.failure()
    } catch (error) {
      this.#over.abort(error)
      for (const answer of this.#answers.values()) answer.reject(error)
      this.#exec.close()
    }
  }
}
