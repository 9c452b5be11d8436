/** As much is kept of what comes after a mark. */
const mostAfter = 64

/** Tells a stream of bytes from a mark that follows it, and that it has not in it. */
export class Marked {
  /** What has come after the mark, as one character a byte; of what is long, its beginning. */
  after = ''
  isFound = false
  readonly #mark: Buffer
  /** May be the beginning of the mark. */
  #held = Buffer.alloc(0)

  constructor(mark: string) {
    this.#mark = Buffer.from(mark, 'latin1')
  }

  /** Takes what comes next. @returns what of it is surely before the mark */
  *before(data: Buffer): Generator<Buffer, void, undefined> {
    if (this.isFound) {
      this.after = (this.after + data.toString('latin1', 0, mostAfter)).slice(0, mostAfter)
      return
    }
    const all = this.#held.length === 0 ? data : Buffer.concat([this.#held, data])
    const at = all.indexOf(this.#mark)
    this.isFound = at >= 0
    const end = this.isFound ? at : all.length - this.#beginsIn(all)
    if (end > 0) yield all.subarray(0, end)
    if (this.isFound) this.after = all.subarray(at + this.#mark.length).toString('latin1', 0, mostAfter)
    else this.#held = Buffer.from(all.subarray(end))
  }

  /** How many bytes at its end may be the beginning of the mark. */
  #beginsIn(data: Buffer): number {
    const [first] = this.#mark
    if (first === undefined) return 0
    const from = Math.max(0, data.length - this.#mark.length + 1)
    for (let at = data.indexOf(first, from); at >= 0; at = data.indexOf(first, at + 1)) {
      if (data.subarray(at).equals(this.#mark.subarray(0, data.length - at))) return data.length - at
    }
    return 0
  }
}
