import { setTimeout as sleep } from 'node:timers/promises'
import { raced } from '../kube/abort.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { controlScript } from './control-script.ts'
import { type Exec, openExec, type Target } from './exec.ts'
import type { ExecInput } from './input.ts'
import { Silence } from './silence.ts'

/** Between tries to open the exec again, in milliseconds. */
const shortestPause = 100
const longestPause = 5_000
const answerTime = 5_000
/** A container that ends of it may not live to answer. */
const acknowledgeTime = 2_000

export interface ControlRequest {
  target: Target
  shell: Shell
  /** Milliseconds after which a connection that does not answer is taken for gone. */
  patience: number
  signal: AbortSignal
}

/**
 * A second exec beside the command's: it carries beats, signals and the acknowledgement, and is never in the command's
 * way. Opened when first needed. When it fails it is opened again, and what was not answered is sent again.
 *
 * That it has failed may show by silence only. The connection's own pings do not tell, as they prove nothing while
 * input is out that nobody has confirmed, but our lines do: each of them is answered.
 */
export class Control {
  readonly #client: KubeClient
  readonly #request: ControlRequest
  readonly #unanswered = new Map<number, string>()
  #conversation: { input: ExecInput; silence: Silence } | undefined
  /** The last line that was there when the silence began. */
  #silentSince = 0
  #number = 0
  #opened = false
  #keeping: Promise<boolean> | undefined
  #answer = Promise.withResolvers<void>()
  /** When the other side last answered, on the clock of `performance.now()`. */
  lastAnswer = performance.now()
  /** What the last try ended with; undefined where it was answered, or has not ended. */
  lastError: unknown

  constructor(client: KubeClient, request: ControlRequest) {
    this.#client = client
    this.#request = request
  }

  /** Keeps the container's holder from taking us for dead. */
  beat(): void {
    // One that is still on its way will do.
    if (![...this.#unanswered.values()].includes('beat')) this.#send('beat')
  }

  /** Sends a signal to the command's process group. */
  kill(signal: string): void {
    this.#send(`kill ${signal}`)
  }

  /** Acknowledges the command's end, so that the wrapper ends, and with it a pod that was asked to. */
  async acknowledge(): Promise<void> {
    await this.#sendAndWait('acknowledge', acknowledgeTime)
  }

  /**
   * Acknowledges the command's end, and lets the pod stay without us.
   *
   * Once, however often it is called.
   * @param atMost milliseconds to wait for the answer, as the container may have ended
   * @returns whether it was answered
   */
  keep(atMost = answerTime): Promise<boolean> {
    this.#keeping ??= this.#sendAndWait('keep', atMost)
    return this.#keeping
  }

  async #sendAndWait(line: string, atMost: number): Promise<boolean> {
    const number = this.#send(line)
    const giveUp = AbortSignal.timeout(atMost)
    while (this.#unanswered.has(number) && !giveUp.aborted) await raced(this.#answer.promise, giveUp).catch(() => {})
    return !this.#unanswered.has(number)
  }

  #send(line: string): number {
    this.#number += 1
    this.#unanswered.set(this.#number, line)
    if (this.#conversation !== undefined) {
      const { input, silence } = this.#conversation
      void input.write(Buffer.from(`${this.#number} ${line}\n`))
      if (!silence.begun) this.#await(silence)
    }
    if (!this.#opened) {
      this.#opened = true
      void this.#keepOpen()
    }
    return this.#number
  }

  async #keepOpen(): Promise<void> {
    const { signal, patience: firstPatience } = this.#request
    let pause = shortestPause
    let patience = firstPatience
    while (!signal.aborted) {
      const answered = this.lastAnswer
      using silence = new Silence(patience)
      try {
        await this.#converse(await this.#open(silence), silence)
      } catch (error) {
        // What ended the exec is the silence, whatever its parts say of their end.
        this.lastError = silence.signal.aborted ? silence.signal.reason : error
      }
      if (silence.signal.aborted && this.#conversation !== undefined) this.#forgetSignals()
      this.#conversation = undefined
      const heard = this.lastAnswer > answered
      pause = heard ? shortestPause : Math.min(pause * 2, longestPause)
      // Where a shell takes long to start, it should not be given up again and again.
      patience = heard ? firstPatience : patience * 2
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }

  async #open(silence: Silence): Promise<Exec> {
    const { target, shell, signal } = this.#request
    silence.begin()
    return openExec(this.#client, {
      target,
      command: [...shell.command, '-c', shell.setup + controlScript, 'kuberun-control'],
      stdin: true,
      tty: false,
      signal: AbortSignal.any([signal, silence.signal]),
    })
  }

  async #converse(exec: Exec, silence: Silence): Promise<void> {
    const input = exec.input({ framed: false })
    this.#conversation = { input, silence }
    // Without a pause, in which one more could come in and be sent twice.
    for (const [number, line] of this.#unanswered) void input.write(Buffer.from(`${number} ${line}\n`))
    this.#await(silence)
    let text = ''
    for await (const { data } of exec.output) {
      text += data.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#unanswered.delete(Number(line))
      this.lastAnswer = performance.now()
      this.lastError = undefined
      this.#await(silence)
      this.#answer.resolve()
      this.#answer = Promise.withResolvers()
    }
  }

  #await(silence: Silence): void {
    if (this.#unanswered.size === 0) return silence.end()
    silence.begin()
    this.#silentSince = this.#number
  }

  /** A signal that comes this late would surprise, and it may have come in time. */
  #forgetSignals(): void {
    for (const [number, line] of this.#unanswered) {
      if (number <= this.#silentSince && line.startsWith('kill ')) this.#unanswered.delete(number)
    }
  }
}
