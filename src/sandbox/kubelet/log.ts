import { EventEmitter, once } from 'node:events'

/** A line that a container wrote, with its line end. */
export interface LogLine {
  time: Date
  text: Buffer
}

/** As much as a kubelet keeps before it rotates. */
const mostBytes = 10 * 1024 * 1024

/**
 * What a container wrote. Emits `output` with stream and data as it comes, `line` for each whole line, and `end`.
 */
export class ContainerLog extends EventEmitter<{ output: ['stdout' | 'stderr', Buffer]; line: []; end: [] }> {
  ended = false
  #lines: LogLine[] = []
  #bytes = 0
  /** How many lines are no longer there. */
  #dropped = 0
  readonly #parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }

  constructor() {
    super()
    this.setMaxListeners(0)
  }

  get lines(): readonly LogLine[] {
    return this.#lines
  }

  write(stream: 'stdout' | 'stderr', data: Buffer): void {
    this.emit('output', stream, data)
    for (let from = 0; from < data.length; ) {
      const end = data.indexOf(10, from) + 1
      this.#parts[stream].push(data.subarray(from, end || data.length))
      if (end === 0) return
      this.#flush(stream)
      from = end
    }
  }

  end(): void {
    this.#flush('stdout')
    this.#flush('stderr')
    this.ended = true
    this.emit('end')
  }

  /** The lines from there on, and those to come until the end or the abort. */
  async *follow(from: number, signal: AbortSignal): AsyncGenerator<LogLine, void> {
    for (let next = from + this.#dropped; ; ) {
      const lines = this.#lines.slice(Math.max(0, next - this.#dropped))
      next = this.#dropped + this.#lines.length
      yield* lines
      if (next !== this.#dropped + this.#lines.length) continue
      if (this.ended) return
      const stop = new AbortController()
      const inner = AbortSignal.any([signal, stop.signal])
      try {
        await Promise.race([once(this, 'line', { signal: inner }), once(this, 'end', { signal: inner })])
      } finally {
        stop.abort()
      }
    }
  }

  #flush(stream: 'stdout' | 'stderr'): void {
    const text = Buffer.concat(this.#parts[stream])
    this.#parts[stream] = []
    if (text.length === 0) return
    this.#lines.push({ time: new Date(), text })
    this.#bytes += text.length
    while (this.#bytes > mostBytes) {
      this.#bytes -= this.#lines.shift()?.text.length ?? 0
      this.#dropped++
    }
    this.emit('line')
  }
}
