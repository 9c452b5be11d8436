import { escapeControls } from '../escape.ts'
import type { Reporter } from '../pod/reporter.ts'

/** A run that is quick says nothing. */
const silence = 1_000
const refresh = 1_000

/**
 * Reports to stderr. Passing remarks are one line that appears on a terminal after a second of waiting, and is gone while
 * the command runs; `-v` adds, at the end, the time of each phase.
 */
export class TerminalReporter implements Reporter, Disposable {
  readonly #stderr: NodeJS.WriteStream
  readonly #program: string
  readonly #verbose: boolean
  /** Whether there is a line at all. */
  readonly #shows: boolean
  readonly #begin = performance.now()
  readonly #phases: { name: string; at: number }[] = []
  readonly #warned = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #what = 'reaching the API server'
  #shown = false

  constructor(stderr: NodeJS.WriteStream, options: { program: string; quiet: boolean; verbosity: number }) {
    this.#stderr = stderr
    this.#program = options.program
    this.#verbose = options.verbosity > 0
    this.#shows = stderr.isTTY && !options.quiet
    if (this.#shows) this.#timer = setTimeout(() => this.#show(), silence)
  }

  waiting(what: string): void {
    this.#what = what
    if (this.#shown) this.#show()
  }

  warning(message: string): void {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    this.#clear()
    this.#stderr.write(`warning: ${escapeControls(message)}\n`)
  }

  note(message: string): void {
    this.#clear()
    this.#stderr.write(`${this.#program}: ${escapeControls(message)}\n`)
  }

  phase(name: string): void {
    this.#phases.push({ name, at: performance.now() })
  }

  /** From here on the terminal is somebody else's: the command's, or the shell's. */
  running(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#clear()
  }

  /** The command has ended, and something is still to be done that may take its time. */
  busy(what: string): void {
    this.#what = what
    if (this.#shows) this.#timer ??= setTimeout(() => this.#show(), silence)
  }

  /** Somebody is asked at the terminal: the line stays away until this is disposed of. */
  hush(): Disposable {
    const shows = this.#timer !== undefined
    this.running()
    return {
      [Symbol.dispose]: () => {
        if (shows) this.#timer = setTimeout(() => this.#show(), silence)
      },
    }
  }

  [Symbol.dispose](): void {
    this.running()
    if (!this.#verbose) return
    let last = this.#begin
    const parts = this.#phases.map(({ name, at }) => {
      const took = Math.round(at - last)
      last = at
      return `${name} ${took} ms`
    })
    this.#stderr.write(`${this.#program}: ${[...parts, `in all ${Math.round(last - this.#begin)} ms`].join(', ')}\n`)
  }

  #show(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#show(), refresh)
    const seconds = Math.round((performance.now() - this.#begin) / 1000)
    const line = `${this.#program}: ${escapeControls(this.#what).replaceAll('\n', ' ')} (${seconds} s)`
    this.#stderr.write(`\r\x1b[K${line.slice(0, this.#stderr.columns - 1)}`)
    this.#shown = true
  }

  #clear(): void {
    if (this.#shown) this.#stderr.write('\r\x1b[K')
    this.#shown = false
  }
}
