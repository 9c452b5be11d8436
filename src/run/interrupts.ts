import type { EndSignal, RunIO, RunResult, RunSignal } from './io.ts'
import { signalNumber } from './signal-number.ts'

const endSignals: readonly string[] = ['INT', 'TERM', 'HUP', 'QUIT'] satisfies EndSignal[]

/** Ctrl-C and Ctrl-\\, as terminals have them. */
const signalKeys: Record<number, EndSignal> = { 0x03: 'INT', 0x1c: 'QUIT' }

/** Delivers a signal to the command's process group. */
export type Deliver = (signal: RunSignal | 'KILL') => void

/**
 * What signals and the time-out do to a run.
 *
 * Before the command runs, the first signal that asks to end ends the run. While it runs, that signal goes to the command,
 * which then has the grace period to end by itself; after that, or at another INT, the run is over. `--timeout` does the
 * same with TERM. The other signals just go to the command.
 */
export class Interrupts implements Disposable {
  /** The signal that asked us to end. */
  first: EndSignal | undefined
  /** What the last key that was typed at the command's terminal asks for: the kernel there makes the signal of it. */
  typed: EndSignal | undefined
  /** The command took longer than it may. */
  timedOut = false
  readonly #over = new AbortController()
  readonly #gaveUp = new AbortController()
  readonly #gracePeriod: number
  readonly #stopListening: () => void
  /** Of the time-out. */
  #limit: NodeJS.Timeout | undefined
  /** Of the grace periods. */
  readonly #timers: NodeJS.Timeout[] = []
  #deliver: Deliver | undefined
  #onFirst: (() => void) | undefined

  constructor({ signals, signal }: Pick<RunIO, 'signals' | 'signal'>, gracePeriod: number) {
    this.#gracePeriod = gracePeriod
    const stop = signals.on((name) => this.#on(name))
    const fail = (): void => {
      for (const controller of [this.#over, this.#gaveUp]) controller.abort(signal?.reason)
    }
    signal?.addEventListener('abort', fail, { once: true })
    if (signal?.aborted) fail()
    this.#stopListening = () => {
      stop()
      signal?.removeEventListener('abort', fail)
    }
  }

  /** Aborts when the run is over, whatever the command does. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /**
   * Aborts when nothing more is wanted. That is later than {@link signal} where the command was ended after its grace
   * period: what it has done until then may still be of use.
   */
  get gaveUp(): AbortSignal {
    return this.#gaveUp.signal
  }

  /** From now on the command runs; absent: without a limit. */
  running(deliver: Deliver, timeout: number | undefined): void {
    this.#deliver = deliver
    if (timeout === undefined) return
    this.#limit = startTimer(timeout, () => {
      this.timedOut = true
      this.#askToEnd('TERM')
    })
  }

  /** The command has ended: nobody is left to deliver to, and what asks to end ends the run. */
  ended(): void {
    this.#deliver = undefined
    this.#onFirst = undefined
    // What comes after it, such as slow readers and what comes back, is not its time.
    clearTimeout(this.#limit)
  }

  /** The command has ended, and what it did is being saved: the first signal that asks to end is only told of. */
  saving(onFirst: () => void): void {
    this.ended()
    this.#onFirst = onFirst
  }

  /** How a run ends that was over before its time; undefined for one that was not, or that failed with us. */
  get result(): RunResult | undefined {
    if (!this.signal.aborted) return undefined
    if (this.timedOut) return { exitCode: 124 }
    return this.first && { exitCode: 128 + signalNumber(this.first), signal: this.first }
  }

  /** What was typed at the command's terminal. */
  keys(data: Buffer): void {
    this.typed = signalKeys[data.at(-1) ?? -1]
  }

  [Symbol.dispose](): void {
    this.#stopListening()
    clearTimeout(this.#limit)
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #on(signal: RunSignal): void {
    if (!isEndSignal(signal)) {
      this.#deliver?.(signal)
      return
    }
    const again = this.first !== undefined
    this.first ??= signal
    if (!again && this.#onFirst !== undefined) this.#onFirst()
    else if (again && signal === 'INT') this.#giveUp()
    else if (again && this.#deliver !== undefined) this.#deliver(signal)
    else this.#askToEnd(signal)
  }

  #askToEnd(signal: RunSignal): void {
    if (this.#deliver === undefined) return this.#giveUp()
    this.#deliver(signal)
    this.#timers.push(startTimer(this.#gracePeriod, () => this.#end()))
  }

  #end(): void {
    this.#deliver?.('KILL')
    this.#over.abort(new Interrupted())
  }

  #giveUp(): void {
    this.#end()
    this.#gaveUp.abort(new Interrupted())
  }
}

/** The reason with which an interrupted run's signal aborts. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor() {
    super('interrupted')
  }
}

function startTimer(milliseconds: number, action: () => void): NodeJS.Timeout {
  // One of more than 2^31 ms would fire at once.
  return setTimeout(action, Math.min(milliseconds, 2 ** 31 - 1))
}

function isEndSignal(signal: RunSignal): signal is EndSignal {
  return endSignals.includes(signal)
}
