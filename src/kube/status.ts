import type { IncomingHttpHeaders } from 'node:http'
import { STATUS_CODES } from 'node:http'
import { ApiError, type ApiFailure } from '../errors.ts'

/** `metav1.Status`, as far as we read it. */
export interface Status {
  kind?: string
  status?: string
  message?: string
  reason?: string
  code?: number
  details?: NonNullable<ApiFailure['details']> & { retryAfterSeconds?: number }
}

/** A response that is no success. */
export interface Refusal {
  status: number
  headers: IncomingHttpHeaders
  /** Its beginning. */
  body: string
}

const notKubernetes = 'the answer is not of Kubernetes: look at proxies and load balancers on the way to the API server'

/** The error that a refusal stands for: worded by its Status where it has one, else by what a proxy may have said. */
export function refusalError(refusal: Refusal): ApiError {
  const parsed = parseStatus(refusal.body)
  const hint =
    refusal.status === 401 ? 'the credentials have expired or are wrong: log in to the cluster again' : undefined
  const after = retryAfter(refusal.headers['retry-after'])
  if (parsed !== undefined) return statusError(parsed, { status: refusal.status, after, hint })
  const failure = {
    status: refusal.status,
    reason: '',
    fromKubernetes: false,
    ...(after === undefined ? {} : { retryAfter: after }),
  }
  // The filters in front of the API itself (too many requests, no such credentials) answer in plain text.
  const other = refusal.status === 429 ? {} : { hint: notKubernetes }
  return new ApiError(wording(refusal), failure, hint === undefined ? other : { hint })
}

/** The error that a Status stands for, whether it came as a response or inside a stream. */
export function statusError(
  status: Status,
  from: { status?: number; after?: number | undefined; hint?: string | undefined } = {},
): ApiError {
  const { details, reason = '', message } = status
  const seconds = details?.retryAfterSeconds
  const after = from.after ?? (seconds === undefined ? undefined : seconds * 1000)
  const code = from.status ?? status.code ?? 500
  const failure: ApiFailure = {
    status: code,
    reason,
    fromKubernetes: true,
    ...(details === undefined || details === null ? {} : { details }),
    ...(after === undefined ? {} : { retryAfter: after }),
  }
  const text = message || reason || `${code} ${STATUS_CODES[code] ?? ''}`.trim()
  return new ApiError(text, failure, from.hint === undefined ? {} : { hint: from.hint })
}

function parseStatus(body: string): Status | undefined {
  if (!body.trimStart().startsWith('{')) return undefined
  try {
    const value = JSON.parse(body) as Status
    return value.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}

/** `Retry-After` in milliseconds: it comes as seconds or as a date. */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function wording({ status, headers, body }: Refusal): string {
  const name = `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  if (status >= 300 && status < 400) {
    return `the server answered with a redirect (${name}) to "${headers.location ?? ''}", which is not followed`
  }
  const said = firstWords(body)
  return said === '' ? `the server answered ${name}` : `the server answered ${name}: ${said}`
}

/** A plain text's first line, or a page's title. */
function firstWords(body: string): string {
  const isPage = /<html|<!doctype/i.test(body.slice(0, 1000))
  const text = isPage ? (/<title[^>]*>([^<]*)/i.exec(body)?.[1] ?? '') : (body.trim().split('\n', 1)[0] ?? '')
  return text.replace(/\s+/g, ' ').trim().slice(0, 300)
}
