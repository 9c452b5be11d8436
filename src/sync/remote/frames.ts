import { promisify } from 'node:util'
import { gzip as gzipWithCallback } from 'node:zlib'

const gzip = promisify(gzipWithCallback)

/** Frames grow to this, so that a slow link is known for one early. */
const [smallest, largest] = [256 * 1024, 1024 * 1024]
/** A link that carries less in a second, in bytes, is helped by a gzip of level 1, which packs about ten times as much. */
const fast = 8_000_000
/** What a frame must shrink to, at most, for gzip to be worth its while. */
const worthwhile = 0.9
/** After one that did not shrink, so many go as they are. */
const pause = 8

interface Frame {
  head: string
  body: Buffer
}

/**
 * Sends archives in frames, `length\n` or `length z\n` before each, gzipped where the link turns out to be slower than
 * that takes. How fast the link is shows by how fast it takes what is written.
 */
export class FrameWriter {
  readonly #write: (data: Buffer) => Promise<void>
  readonly #mayZip: boolean
  /** One fills while the other is being sent. */
  #filling = Buffer.allocUnsafeSlow(largest)
  #spare = Buffer.allocUnsafeSlow(largest)
  #sent = 0
  #time = 0
  #size = smallest
  #unzipped = 0

  constructor(write: (data: Buffer) => Promise<void>, options: { mayZip: boolean }) {
    this.#write = write
    this.#mayZip = options.mayZip
  }

  /** Sends what an archive consists of, and its end. While one frame is on its way, the next is made. */
  async send(archive: AsyncIterable<Buffer>): Promise<void> {
    let sending = Promise.resolve()
    for await (const data of this.#gathered(archive)) {
      const frame = await this.#pack(data)
      await sending
      sending = this.#sendFrame(frame)
      // Told where it is waited for.
      sending.catch(() => {})
    }
    await sending
    await this.#write(Buffer.from('0\n'))
  }

  /** What frames are to carry: valid until the next but one is asked for. */
  async *#gathered(archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let length = 0
    for await (const piece of archive) {
      for (let at = 0; at < piece.length; ) {
        const taken = piece.copy(this.#filling, length, at, at + this.#size - length)
        at += taken
        length += taken
        if (length < this.#size) continue
        yield this.#take(length)
        length = 0
      }
    }
    if (length > 0) yield this.#take(length)
  }

  #take(length: number): Buffer {
    const data = this.#filling.subarray(0, length)
    ;[this.#filling, this.#spare] = [this.#spare, this.#filling]
    this.#size = Math.min(this.#size * 2, largest)
    return data
  }

  async #pack(data: Buffer): Promise<Frame> {
    const zipped = this.#shouldZip() ? await gzip(data, { level: 1 }) : undefined
    if (zipped === undefined) return { head: `${data.length}\n`, body: data }
    const shrank = zipped.length < data.length * worthwhile
    this.#unzipped = shrank ? 0 : pause
    return shrank ? { head: `${zipped.length} z\n`, body: zipped } : { head: `${data.length}\n`, body: data }
  }

  async #sendFrame({ head, body }: Frame): Promise<void> {
    const begin = performance.now()
    await this.#write(Buffer.from(head))
    await this.#write(body)
    this.#time += performance.now() - begin
    this.#sent += body.length
  }

  #shouldZip(): boolean {
    if (this.#unzipped > 0) {
      this.#unzipped -= 1
      return false
    }
    // What the first frames tell is how large the buffers on the way are.
    return this.#mayZip && this.#time > 250 && this.#sent / this.#time < fast / 1000
  }
}
