import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type KuberunError } from '../errors.ts'
import { TooSlow } from './abort.ts'
import { ProxyRefusal, TransportError } from './transport.ts'

/** Time and chance, so that a test need not wait. */
export interface Pace {
  /** Milliseconds that only grow. */
  now(): number
  /** Rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
  /** From 0 to 1. */
  random(): number
}

export const realPace: Pace = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal })
  },
  random: Math.random,
}

export interface RetryOptions {
  /** Milliseconds for which even a server that cannot be reached is tried again. */
  patience: number | undefined
  /** Milliseconds after which nothing is tried again, whatever the patience. */
  timeout?: number | undefined
  pace: Pace
  signal: AbortSignal | undefined
}

const mostTries = 10
const usualPatience = 30_000

/** Tries until it works, until the error is one that a new try cannot mend, or until patience ends. */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { patience = usualPatience, timeout = patience, pace, signal } = options
  const deadline = pace.now() + Math.max(Math.min(patience, timeout), 0)
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      const delay = delayBefore(error, tries, options)
      const tired = options.patience === undefined && tries >= mostTries
      if (delay === undefined || tired || pace.now() + delay > deadline) throw error
      await pause(delay, pace, signal)
    }
  }
}

/** Waits; an abort throws the signal's own reason. */
export async function pause(milliseconds: number, pace: Pace, signal: AbortSignal | undefined): Promise<void> {
  try {
    if (milliseconds > 0) await pace.sleep(milliseconds, signal)
  } finally {
    signal?.throwIfAborted()
  }
}

/** Full jitter: many clients that failed together do not come back together. */
export function backoff(tries: number, pace: Pace): number {
  return pace.random() * Math.min(5_000, 100 * 2 ** tries)
}

function delayBefore(error: unknown, tries: number, options: RetryOptions): number | undefined {
  const delay = backoff(tries, options.pace)
  if (error instanceof ApiError) return mayRetryAnswer(error) ? (error.failure.retryAfter ?? delay) : undefined
  if (!(error instanceof TransportError)) return undefined
  if (error.stale) return tries === 1 ? 0 : delay
  return mayRetryConnection(error, options) ? delay : undefined
}

function mayRetryAnswer({ failure }: ApiError): boolean {
  const { status, retryAfter } = failure
  return busy.has(status) || (status === 500 && retryAfter !== undefined)
}

const busy: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Whether the server, or what stands before it, says that it will recover. */
export function isBusy(error: unknown): error is ApiError {
  return error instanceof ApiError && busy.has(error.status)
}

const broken = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ECONNABORTED', 'HPE_INVALID_EOF_STATE'])
const absent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN'])

function mayRetryConnection(error: TransportError, { patience }: RetryOptions): boolean {
  // Whoever set a time for a request wants to know after that time.
  if (error instanceof TooSlow) return patience !== undefined
  const { code = '' } = error.cause as NodeJS.ErrnoException
  return broken.has(code) || (patience !== undefined && absent.has(code))
}

/** Whether a connection that lives long is worth opening again: nobody waits for its answer, so it may take its time. */
export function canMend(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 500 || mayRetryAnswer(error)
  return error instanceof TransportError && !isHopeless(error)
}

/** Whether the server is out of reach, so that the next request is lost as well: not there, or not to be trusted. */
export function isOutOfReach(error: KuberunError): boolean {
  const { code = '' } = (error.cause ?? {}) as NodeJS.ErrnoException
  return absent.has(code) || isHopeless(error)
}

// Nobody mends a certificate or a proxy's rules while we wait.
function isHopeless({ cause }: Error): boolean {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  return cause instanceof ProxyRefusal || /^ERR_(SSL|TLS)|CERT|ISSUER|SIGNATURE/.test(code)
}
