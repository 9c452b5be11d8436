import { ApiError } from '../errors.ts'
import type { Control } from '../exec/control.ts'
import type { Guard } from '../pod/guard.ts'
import type { Reporter } from '../pod/reporter.ts'

/** The holder must not miss three beats in a row. */
function beatInterval(orphanTimeout: number): number {
  return Math.min(15_000, orphanTimeout / 4)
}

/** Most commands are over before a second exec would be worth its while. */
const firstBeat = 1_000

/**
 * The signs of life of a run: to the pod's holder by the control exec, once the command runs, and to the guard Job from
 * the beginning.
 */
export class Heartbeat implements Disposable {
  readonly #reporter: Reporter
  readonly #orphanTimeout: number
  /** The guard could not be prolonged, and was taken away. */
  #unguarded = false
  readonly #stopped = new AbortController()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(guard: Guard | undefined, orphanTimeout: number, reporter: Reporter) {
    this.#reporter = reporter
    this.#orphanTimeout = orphanTimeout
    if (guard !== undefined) this.#every(() => void this.#prolong(guard))
  }

  /** @param onLost called when the container, for want of beats, must have ended itself by now */
  beat(control: Control, onLost: () => void): void {
    const beat = (): void => {
      control.beat()
      if (performance.now() - control.lastAnswer > this.#orphanTimeout + firstBeat) onLost()
    }
    this.#timers.push(setTimeout(beat, firstBeat))
    this.#every(beat)
  }

  [Symbol.dispose](): void {
    this.#stopped.abort()
    for (const timer of this.#timers) clearInterval(timer)
  }

  #every(action: () => void): void {
    this.#timers.push(setInterval(action, beatInterval(this.#orphanTimeout)))
  }

  async #prolong(guard: Guard): Promise<void> {
    if (this.#unguarded) return
    try {
      await guard.prolong(this.#stopped.signal)
    } catch (error) {
      if (this.#stopped.signal.aborted || this.#unguarded || !(error instanceof ApiError)) return
      this.#unguarded = true
      // Who may create Jobs but not patch them must not have a run ended by its own guard.
      await guard.remove(true).catch(() => this.#reporter.warning(doomed(error)))
    }
  }
}

function doomed(error: ApiError): string {
  return `the Job that guards this run cannot be prolonged, and will end the run: ${error.message}`
}
