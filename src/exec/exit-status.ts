import { ApiError } from '../errors.ts'

/** How the remote process ended, or why it could not be run. */
export type ExitStatus =
  /** The process's exit code, 0-255 on Linux; kept raw where a runtime reports more. */
  | { kind: 'exited'; code: number }
  /** The API server, the kubelet or the runtime failed: no exit code exists. */
  | { kind: 'failed'; error: ApiError }

interface StatusBody {
  status?: string
  message?: string
  reason?: string
  code?: number
  details?: { name?: string; kind?: string; causes?: { reason?: string; message?: string }[] }
}

/**
 * Reads the `metav1.Status` that ends an exec stream, as client-go's remotecommand does for v4 and v5.
 *
 * @returns undefined while the text is not yet a whole JSON document: a status may come in several frames
 */
export function parseExitStatus(text: string): ExitStatus | undefined {
  let body: StatusBody
  try {
    body = (JSON.parse(text) as StatusBody | null) ?? {}
  } catch {
    return undefined
  }
  if (body.status === 'Success') return { kind: 'exited', code: 0 }
  if (body.reason === 'NonZeroExitCode') return nonZero(body)
  return { kind: 'failed', error: failure(body, body.message ?? 'the command could not be run') }
}

function nonZero(body: StatusBody): ExitStatus {
  const cause = body.details?.causes?.find((c) => c.reason === 'ExitCode')
  const code = Number(cause?.message)
  if (cause?.message && Number.isInteger(code) && code !== 0) return { kind: 'exited', code }
  return { kind: 'failed', error: failure(body, `the exit status names no exit code: "${cause?.message ?? ''}"`) }
}

function failure(body: StatusBody, message: string): ApiError {
  return new ApiError(message, {
    status: body.code ?? 500,
    reason: body.reason ?? '',
    ...(body.details && { details: body.details }),
    fromKubernetes: true,
  })
}
