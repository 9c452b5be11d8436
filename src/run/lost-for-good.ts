import { ApiError, KuberunError } from '../errors.ts'
import { explainRefusal } from '../pod/refusal.ts'

/**
 * Why a run is over whose container has had no sign of life from us for too long.
 *
 * @param cause what the last try to give one ended with, where it has ended
 */
export function lostForGood(cause: unknown, namespace: string): KuberunError {
  const why = explainRefusal(cause, namespace)
  if (why instanceof ApiError) {
    const message = `the container has heard nothing from here and has ended the command: ${why.message}`
    return new KuberunError('api', message, { cause, ...(why.hint !== undefined && { hint: why.hint }) })
  }
  const last = why instanceof Error ? why.message.replace(lost, '') : 'nothing answers any more'
  return new KuberunError('connection', `connection to the API server lost: ${last}`, {
    cause,
    hint: 'by now the command has been ended in the pod, as by --orphan-timeout',
  })
}

/** How the error of a broken stream begins. */
const lost = /^connection to the API server lost: /
