import type { WebSocket } from 'ws'
import { channel, closeStdin } from './channels.ts'

/** Larger messages carry more per second; the server takes up to 32 MiB. */
const blockSize = 256 * 1024
/** Room before the payload for the channel byte and a length line. */
const headroom = 16

/**
 * A remote process's stdin, with backpressure: a slow reader there holds up the writer here.
 *
 * While one message is on its way, what is written meanwhile is gathered into the next.
 *
 * Framed, each block travels as `length\n` and its bytes, and `0\n` ends the input: for v4, which cannot close stdin,
 * with a reader on the other side that knows this framing.
 *
 * A connection that is lost swallows what is written: the output side reports the loss.
 */
export class ExecInput {
  readonly #ws: WebSocket
  readonly #framed: boolean
  readonly #onSend: () => void
  /** One buffer fills while the other is being sent. */
  #filling = Buffer.allocUnsafe(headroom + blockSize)
  #spare = Buffer.allocUnsafe(headroom + blockSize)
  #length = 0
  #sending: Promise<void> | undefined
  /** A write waits: there is no room for more. */
  blocked = false

  constructor(ws: WebSocket, options: { framed: boolean; onSend: () => void }) {
    this.#ws = ws
    this.#framed = options.framed
    this.#onSend = options.onSend
  }

  /** Resolves when more may be written. */
  async write(data: Buffer): Promise<void> {
    let rest = data
    while (rest.length > 0) {
      const taken = rest.copy(this.#filling, headroom + this.#length, 0, blockSize - this.#length)
      this.#length += taken
      rest = rest.subarray(taken)
      if (this.#length < blockSize) continue
      this.blocked = true
      await this.#sending
      this.blocked = false
      this.#send()
    }
    if (this.#sending === undefined) this.#send()
  }

  /** Sends what is left, then the end of input. */
  async end(): Promise<void> {
    while (this.#length > 0) {
      await this.#sending
      this.#send()
    }
    await this.#sending
    if (this.#framed) await this.#message(Buffer.concat([Buffer.of(channel.stdin), Buffer.from('0\n')]))
    else if (this.#ws.protocol.startsWith('v5.')) await this.#message(closeStdin)
  }

  #send(): void {
    if (this.#length === 0) return
    const head = this.#framed ? `\0${this.#length}\n` : '\0'
    this.#filling.write(head, headroom - head.length, 'latin1')
    const block = this.#filling.subarray(headroom - head.length, headroom + this.#length)
    ;[this.#filling, this.#spare] = [this.#spare, this.#filling]
    this.#length = 0
    this.#sending = this.#message(block).then(() => {
      this.#sending = undefined
      this.#send()
    })
  }

  #message(data: Buffer): Promise<void> {
    this.#onSend()
    return new Promise((resolve) => {
      this.#ws.send(data, () => resolve())
    })
  }
}
