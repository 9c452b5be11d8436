import { setTimeout as sleep } from 'node:timers/promises'
import { raced } from '../kube/abort.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { type Exec, openExec, type Target } from './exec.ts'
import type { ExecInput } from './input.ts'

/**
 * The other side of the control exec: one line in, `number word argument`, one line back, `number`.
 * A USR1 to process 1 is a beat; the wrapper's group gets the signals; a line to the pipe acknowledges the end, which
 * otherwise the pod's deletion does.
 */
const script = `
while read -r n word argument; do
  case $word in
  beat) kill -s USR1 1 ;;
  kill) read -r p </dev/shm/kuberun.pid && kill "-$argument" "-$p" ;;
  acknowledge) echo >/dev/shm/kuberun.ack ;;
  keep) : >/dev/shm/kuberun.keep; kill -s USR1 1; echo >/dev/shm/kuberun.ack ;;
  esac
  echo "$n"
done 2>/dev/null
`.trim()

/** Between tries to open the exec again, in milliseconds. */
const shortestPause = 100
const longestPause = 5_000
const answerTime = 5_000
/** A container that ends of it may not live to answer. */
const acknowledgeTime = 2_000

export interface ControlRequest {
  target: Target
  shell: Shell
  signal: AbortSignal
}

/**
 * A second exec beside the command's: it carries beats, signals and the acknowledgement, and is never in the command's
 * way. Opened when first needed. When it fails it is opened again, and what was not answered is sent again.
 */
export class Control {
  readonly #client: KubeClient
  readonly #request: ControlRequest
  readonly #unanswered = new Map<number, string>()
  #input: ExecInput | undefined
  #number = 0
  #opened = false
  #answer = Promise.withResolvers<void>()
  /** When the other side last answered, on the clock of `performance.now()`. */
  lastAnswer = performance.now()

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
   * @param atMost milliseconds to wait for the answer, as the container may have ended
   */
  async keep(atMost = answerTime): Promise<void> {
    await this.#sendAndWait('keep', atMost)
  }

  async #sendAndWait(line: string, atMost: number): Promise<void> {
    this.#send(line)
    const giveUp = AbortSignal.timeout(atMost)
    while (this.#unanswered.size > 0 && !giveUp.aborted) await raced(this.#answer.promise, giveUp).catch(() => {})
  }

  #send(line: string): void {
    this.#number += 1
    this.#unanswered.set(this.#number, line)
    if (this.#input !== undefined) void this.#input.write(Buffer.from(`${this.#number} ${line}\n`))
    if (this.#opened) return
    this.#opened = true
    void this.#keepOpen()
  }

  async #keepOpen(): Promise<void> {
    const { signal } = this.#request
    let pause = shortestPause
    while (!signal.aborted) {
      const answered = this.lastAnswer
      try {
        const exec = await openExec(this.#client, {
          ...this.#request,
          command: this.#command(),
          stdin: true,
          tty: false,
        })
        await this.#converse(exec)
      } catch {
        // Whatever it was, the next try tells; that there is no answer is seen from lastAnswer.
      }
      this.#input = undefined
      pause = this.lastAnswer > answered ? shortestPause : Math.min(pause * 2, longestPause)
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }

  #command(): string[] {
    const { command, setup } = this.#request.shell
    return [...command, '-c', setup + script, 'kuberun-control']
  }

  async #converse(exec: Exec): Promise<void> {
    const input = exec.input({ framed: false })
    this.#input = input
    // Without a pause, in which one more could come in and be sent twice.
    for (const [number, line] of this.#unanswered) void input.write(Buffer.from(`${number} ${line}\n`))
    let text = ''
    for await (const { data } of exec.output) {
      text += data.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#unanswered.delete(Number(line))
      this.lastAnswer = performance.now()
      this.#answer.resolve()
      this.#answer = Promise.withResolvers()
    }
  }
}
