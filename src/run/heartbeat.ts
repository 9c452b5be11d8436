import type { Control } from '../exec/control.ts'
import { beatInterval } from '../pod/holder.ts'

/** Most commands are over before a second exec would be worth its while. */
const firstBeat = 1_000

/** The signs of life of a run to its pod's holder, by the control exec, while the command runs. */
export class Heartbeat implements Disposable {
  readonly #orphanTimeout: number
  readonly #timers: NodeJS.Timeout[] = []

  constructor(orphanTimeout: number) {
    this.#orphanTimeout = orphanTimeout
  }

  /** @param onLost called when the container, for want of beats, must have ended itself by now */
  beat(control: Control, onLost: () => void): void {
    const beat = (): void => {
      control.beat()
      if (performance.now() - control.lastAnswer > this.#orphanTimeout + firstBeat) onLost()
    }
    this.#timers.push(setTimeout(beat, firstBeat), setInterval(beat, beatInterval(this.#orphanTimeout)))
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer)
  }
}
