import type { Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import { channel } from '../../exec/channels.ts'

/** As the API server's: larger output goes in pieces. */
const largestFrame = 32 * 1024

/** The server's end of an exec's or attach's WebSocket. */
export class Channels {
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>
  readonly #ws: WebSocket
  #left: number

  /**
   * @param ws paused, so that nothing is lost before somebody feeds on it
   * @param cutAfter the connection breaks after so many bytes of output
   */
  constructor(ws: WebSocket, cutAfter: number) {
    this.#ws = ws
    this.#left = cutAfter
    ws.on('error', () => {})
    this.closed = new Promise((resolve) => ws.once('close', () => resolve()))
  }

  /** Sends output; resolves when it has left, or when the client is gone. */
  async output(number: 1 | 2, data: Buffer): Promise<void> {
    for (let from = 0; from < data.length; from += largestFrame) {
      const piece = data.subarray(from, Math.min(from + largestFrame, from + this.#left))
      this.#left -= piece.length
      await this.send(number, piece)
      if (this.#left <= 0) return this.#ws.terminate()
    }
  }

  async send(number: number, data: Buffer): Promise<void> {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    await new Promise<void>((resolve) => this.#ws.send(Buffer.concat([Buffer.of(number), data]), () => resolve()))
  }

  /** Gives what the client sends to a process, no faster than it takes it, and its terminal's sizes. */
  feed(stdin: Writable | undefined, resize?: (size: { columns: number; rows: number }) => void): void {
    const resume = (): void => this.#ws.resume()
    stdin?.on('drain', resume).once('close', resume).on('error', resume)
    this.#ws.on('message', (message: Buffer) => {
      const [number, first] = message
      if (number === channel.close && first === channel.stdin) stdin?.end()
      if (number === channel.resize) resize?.(readSize(message.subarray(1).toString()))
      if (number !== channel.stdin || !stdin?.writable || message.length === 1) return
      if (!stdin.write(message.subarray(1))) this.#ws.pause()
    })
    this.#ws.resume()
  }

  /** Tells how it ended, and closes. */
  async end(status: object): Promise<void> {
    await this.send(channel.status, Buffer.from(JSON.stringify(status)))
    // One that was paused would never hear that the client closes too.
    this.#ws.resume()
    this.#ws.close(1000)
  }
}

function readSize(text: string): { columns: number; rows: number } {
  const { Width = 80, Height = 24 } = JSON.parse(text) as { Width?: number; Height?: number }
  return { columns: Width, rows: Height }
}
