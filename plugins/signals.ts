import type { RunSignal, SignalSource } from '../src/run/io.ts'

const names: readonly RunSignal[] = ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2', 'WINCH', 'CONT']

/** The signals of this process, from the moment of the call. */
export interface CaughtSignals extends SignalSource {
  /** Gives the signals back their effect, as does the last listener when it goes: nobody would hear of them any more. */
  release(): void
}

/**
 * Catches the signals of this process, so that none ends it: those that come before anybody listens are kept.
 * @param ignored those that nobody is told of
 */
export function catchSignals(
  target: NodeJS.EventEmitter = process,
  ignored: ReadonlySet<RunSignal> = new Set(),
): CaughtSignals {
  const listeners = new Set<(signal: RunSignal) => void>()
  let kept: RunSignal[] = []
  const handlers = names.map((name) => {
    const handler = () => {
      if (ignored.has(name)) return
      if (listeners.size === 0) kept.push(name)
      for (const listener of listeners) listener(name)
    }
    target.on(`SIG${name}`, handler)
    return () => target.off(`SIG${name}`, handler)
  })
  const release = () => {
    for (const remove of handlers) remove()
  }
  return {
    on(listener) {
      listeners.add(listener)
      const early = kept
      kept = []
      for (const signal of early) listener(signal)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) release()
      }
    },
    release,
  }
}
