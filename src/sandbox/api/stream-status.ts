import { ExecError, type ProcessEnd } from '../runtime.ts'

/** How a command ended, as the `metav1.Status` on the last channel of its exec. */
export function endStatus({ code }: ProcessEnd): object {
  if (code === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

/** Why a command could not be run, in the words that come through the kubelet. */
export function failureStatus(error: unknown): object {
  const { message } = error as Error
  const text = error instanceof ExecError ? `error executing command in container: ${message}` : message
  const prefix = error instanceof ExecError ? 'Internal error occurred: ' : ''
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${prefix}${text}`,
    reason: 'InternalError',
    details: { causes: [{ message: `${prefix}${text}` }] },
    code: 500,
  }
}
