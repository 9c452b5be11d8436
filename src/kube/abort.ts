import { TransportError } from './transport.ts'

/** Rejects with the signal's reason as soon as it aborts, whatever the promise does. */
export async function raced<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    // What the promise ends with interests nobody any more.
    promise.catch(() => {})
    throw signal.reason
  }
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** A time limit of ours was over, or a connection was silent for too long. */
export class TooSlow extends TransportError {
  constructor(milliseconds: number) {
    super(new Error(`no answer within ${milliseconds / 1000} s`))
  }
}

export interface Within {
  milliseconds: number
  signal: AbortSignal | undefined
}

/**
 * Runs some work under a signal of its own, which the outer signal and the time both end. Leaves neither behind.
 * @throws {TooSlow} when the time is over; the outer signal's reason when that aborts
 */
export async function within<T>(limits: Within, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { milliseconds, signal } = limits
  signal?.throwIfAborted()
  const inner = new AbortController()
  const stop = (): void => inner.abort(signal?.reason)
  const timer = setTimeout(() => inner.abort(new TooSlow(milliseconds)), milliseconds)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await work(inner.signal)
  } catch (error) {
    signal?.throwIfAborted()
    // What ended the work is the time, whatever its parts say of their end.
    throw inner.signal.aborted ? inner.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}
