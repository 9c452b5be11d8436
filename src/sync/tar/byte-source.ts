import { ArchiveError } from './archive-error.ts'
import type { TarCount } from './tar-limits.ts'

const none = Buffer.alloc(0)

/**
 * The bytes of a stream, taken as they are needed. A Buffer that it gives is valid until the next is taken: it may be a
 * part of one that the stream uses again.
 */
export class ByteSource {
  readonly #stream: AsyncIterator<Buffer>
  readonly #count: TarCount
  readonly #signal: AbortSignal | undefined
  #chunk: Buffer = none
  #isOver = false

  constructor(stream: AsyncIterable<Buffer>, options: { count: TarCount; signal?: AbortSignal | undefined }) {
    this.#stream = stream[Symbol.asyncIterator]()
    this.#count = options.count
    this.#signal = options.signal
  }

  /** Whether nothing more comes. */
  async isAtEnd(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#isOver) {
      const { done, value } = await this.#next()
      if (done === true) this.#isOver = true
      else this.#chunk = value
    }
    return this.#isOver
  }

  /** @throws {ArchiveError} the stream ends before there are so many */
  async exactly(length: number): Promise<Buffer> {
    const first = await this.some(length)
    if (first.length === length) return first
    const whole = Buffer.allocUnsafe(length)
    for (let at = first.copy(whole); at < length; ) at += (await this.some(length - at)).copy(whole, at)
    return whole
  }

  /** At least one and `most` at most, or none where that is 0. */
  async some(most: number): Promise<Buffer> {
    if (most > 0 && this.#chunk.length === 0 && (await this.isAtEnd())) {
      throw new ArchiveError('cut', 'it was cut')
    }
    const part = this.#chunk.subarray(0, most)
    this.#chunk = this.#chunk.subarray(part.length)
    this.#count.add('bytes', part.length)
    return part
  }

  /** Nobody wants more. A stream that makes us wait, as when the signal came, is not waited for. */
  async close(): Promise<void> {
    if (this.#isOver) return
    const closing = this.#stream.return?.()
    if (this.#signal?.aborted === true) closing?.catch(() => {})
    else await closing
  }

  async #next(): Promise<IteratorResult<Buffer, unknown>> {
    const signal = this.#signal
    if (signal === undefined) return this.#stream.next()
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([this.#stream.next(), aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
