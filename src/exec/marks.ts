/** What the wrapper's end mark tells. */
export interface EndMark {
  exitCode: number
  /** The kernel has killed a process of the container for want of memory. */
  outOfMemory: boolean
  /** Kubernetes had asked the pod to end while the command ran. */
  podEnding: boolean
}

/** The mark's word behind the prefix: `+` for the start; the exit code, flags and `;` for the end. */
const word = /^(?:\+|(\d{1,3})(o?)(t?);)/
const longestWord = '255ot;'.length

/**
 * Finds the wrapper's marks in what the command prints and takes them out.
 *
 * A mark is the byte 0xfe, which occurs in no UTF-8 text, the run's random id, and a word. What comes after the end was
 * printed by processes that the command left behind.
 */
export class MarkScanner {
  readonly #prefix: Buffer
  #held: Buffer = Buffer.alloc(0)
  /** The command has started. */
  started = false
  /** The command has ended and all it printed on this stream is here. */
  end: EndMark | undefined

  constructor(mark: string) {
    this.#prefix = Buffer.concat([Buffer.of(0xfe), Buffer.from(mark)])
  }

  /** Takes the next bytes of the stream, gives those that are the command's; empty where there are none. */
  feed(data: Buffer): Buffer {
    if (this.end !== undefined) return Buffer.alloc(0)
    const bytes = this.#held.length === 0 ? data : Buffer.concat([this.#held, data])
    for (let at = bytes.indexOf(this.#prefix); at >= 0; at = bytes.indexOf(this.#prefix, at + 1)) {
      const tail = bytes.subarray(at + this.#prefix.length)
      const found = word.exec(tail.toString('latin1', 0, longestWord))
      if (found !== null) return this.#take(found, { before: bytes.subarray(0, at), tail })
      if (tail.length < longestWord) return this.#holdFrom(bytes, at)
    }
    return this.#holdFrom(bytes, bytes.length - this.#partialPrefix(bytes))
  }

  /** What was held back for the rest of a mark that never came, at the end of the stream. */
  flush(): Buffer {
    const rest = this.#held
    this.#held = Buffer.alloc(0)
    return rest
  }

  /** Takes a mark out: gives what the command printed around it. */
  #take([text, exitCode, outOfMemory, podEnding]: RegExpExecArray, around: { before: Buffer; tail: Buffer }): Buffer {
    const { before, tail } = around
    this.#held = Buffer.alloc(0)
    if (exitCode !== undefined) {
      this.end = { exitCode: Number(exitCode), outOfMemory: outOfMemory === 'o', podEnding: podEnding === 't' }
      return before
    }
    this.started = true
    const after = this.feed(tail.subarray(text.length))
    return before.length === 0 ? after : Buffer.concat([before, after])
  }

  #holdFrom(bytes: Buffer, at: number): Buffer {
    this.#held = bytes.subarray(at)
    return bytes.subarray(0, at)
  }

  /** The length of the longest end of `bytes` that a mark may begin with. */
  #partialPrefix(bytes: Buffer): number {
    const from = Math.max(0, bytes.length - this.#prefix.length + 1)
    for (let at = bytes.indexOf(0xfe, from); at >= 0; at = bytes.indexOf(0xfe, at + 1)) {
      const end = bytes.subarray(at)
      if (this.#prefix.subarray(0, end.length).equals(end)) return end.length
    }
    return 0
  }
}
