import type { IncomingMessage } from 'node:http'
import { TooSlow } from './abort.ts'
import { TransportError } from './transport.ts'

export interface HeardOptions {
  /** Milliseconds of silence after which the connection counts as lost. */
  silence: number
  signal: AbortSignal
}

/**
 * A response's chunks. Silence and the signal end it, and whatever way it ends, the response is closed with it.
 * @throws {TransportError} the connection broke, or was silent for too long
 */
export async function* heard(
  response: IncomingMessage,
  options: HeardOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { silence, signal } = options
  const timer = setTimeout(() => response.destroy(new TooSlow(silence)), silence)
  const stop = (): void => void response.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh()
      yield chunk
    }
  } catch (error) {
    throw error instanceof TransportError ? error : new TransportError(error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    response.destroy()
  }
}
