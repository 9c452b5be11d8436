import type { Blocks } from './blocks.ts'
import type { SourceFile } from './source-file.ts'

/**
 * The content of a large file on its way into Buffers: while one is being sent, the next piece is read, by a thread.
 * With pieces this large that costs no more CPU than to read at once (300 MB: 150 ms), and two or four ahead gain nothing.
 */
export class Content {
  readonly #source: SourceFile
  readonly #blocks: Blocks
  #reading: Promise<number> | undefined
  /** How much was read. */
  length = 0

  constructor(source: SourceFile, blocks: Blocks) {
    this.#source = source
    this.#blocks = blocks
    this.#read()
  }

  /** Waits for the next piece, and begins to read the one after it. @returns false at the end */
  async more(): Promise<boolean> {
    const count = (await this.#reading) ?? 0
    this.length += count
    this.#blocks.filled(count)
    this.#reading = undefined
    if (count > 0) this.#read()
    return count > 0
  }

  /** Resolves when nothing reads any more: the descriptor may be closed. */
  async settled(): Promise<void> {
    await this.#reading?.catch(() => {})
  }

  /** Never beyond the size that the header says, whatever the file has become. */
  #read(): void {
    const left = this.#source.entry.size - this.length
    if (left === 0) return
    this.#reading = this.#source.readAhead(this.#blocks.room(left), this.length)
    // Whoever asks for more hears of the failure.
    this.#reading.catch(() => {})
  }
}
