import { TooSlow } from '../kube/abort.ts'

/** Aborts its signal when something that is waited for does not come: for what may be gone without a word. */
export class Silence implements Disposable {
  readonly #limit: number
  readonly #over = new AbortController()
  #timer: NodeJS.Timeout | undefined

  /** @param limit milliseconds */
  constructor(limit: number) {
    this.#limit = limit
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Whether something is waited for. */
  get begun(): boolean {
    return this.#timer !== undefined
  }

  /** From now on something is waited for. */
  begin(): void {
    this.end()
    this.#timer = setTimeout(() => this.#over.abort(new TooSlow(this.#limit)), this.#limit)
  }

  /** Nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
