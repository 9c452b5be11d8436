import type { RunSignal, SignalSource } from '../../src/run/io.ts'

/** A source of signals that a test sends. */
export class TestSignals implements SignalSource {
  readonly listeners = new Set<(signal: RunSignal) => void>()

  on(listener: (signal: RunSignal) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  send(signal: RunSignal): void {
    for (const listener of this.listeners) listener(signal)
  }
}
