/**
 * What went wrong, for programs: stable across releases. The message is for people.
 *
 * - `usage`: a flag, word or value that cannot be right; nothing was done
 * - `kubeconfig`: no usable kubeconfig, context, cluster or user
 * - `credentials`: the credential plugin, token or certificate could not be had or was refused
 * - `connection`: the API server could not be reached, or was lost
 * - `api`: the API server answered and refused (see {@link ApiError})
 * - `pod`: the pod cannot start, or ended under the command
 * - `stream`: the exec stream broke its protocol, or was cut
 * - `local`: the local folder, or what says which of its files are meant, could not be read
 * - `sync`: files could not be brought to the pod, or back
 * - `stdio`: stdin could not be read here, or what the command printed could not be written
 */
export type ErrorCode =
  | 'usage'
  | 'kubeconfig'
  | 'credentials'
  | 'connection'
  | 'api'
  | 'pod'
  | 'stream'
  | 'local'
  | 'sync'
  | 'stdio'

export interface ErrorDetails {
  /** The error underneath. */
  cause?: unknown
  /** What the user can do next: one sentence or a short block, printed after the message. */
  hint?: string
}

/**
 * The one kind of error that the library throws on purpose. The message says what failed and with which thing: lower
 * case, no final period, user values in double quotes.
 */
export class KuberunError extends Error {
  override readonly name: string = 'KuberunError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
  }
}

/** A mistake of the user's, found before anything was done. */
export class UsageError extends KuberunError {
  override readonly name = 'UsageError'

  constructor(message: string, details: ErrorDetails = {}) {
    super('usage', message, details)
  }
}

/** What the API server said of a request that it refused. Follows Kubernetes' `metav1.Status`. */
export interface ApiFailure {
  /** The HTTP status, or the `code` of a Status that came inside a stream. */
  status: number
  /** `metav1.StatusReason`, such as `NotFound`; empty when the body was no Status. */
  reason: string
  /** The name and kind of the object, where the Status tells. */
  details?: { name?: string; kind?: string; causes?: { reason?: string; message?: string; field?: string }[] }
  /** Milliseconds after which the server asked to be tried again. */
  retryAfter?: number
  /** Whether the body was a `Status`: a proxy's refusal is not one. */
  fromKubernetes: boolean
}

/** An answer of the API server that is not a success. */
export class ApiError extends KuberunError {
  override readonly name = 'ApiError'
  readonly failure: ApiFailure

  constructor(message: string, failure: ApiFailure, details: ErrorDetails = {}) {
    super('api', message, details)
    this.failure = failure
  }

  get status(): number {
    return this.failure.status
  }

  get reason(): string {
    return this.failure.reason
  }
}

/** A sentence about an error, and its hint, where it has one, on the lines below. */
export function withHint(sentence: string, error: unknown): string {
  if (!(error instanceof KuberunError) || error.hint === undefined) return sentence
  return [sentence, ...error.hint.trimEnd().split('\n')].join('\n  ')
}
