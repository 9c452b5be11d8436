import { KuberunError } from '../errors.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import { findEnding } from './find-ending.ts'

/** What an upload failed of: where its process was killed, that is what the pod ended of. */
export async function causeOfLoss(error: unknown, { observer, target }: EphemeralPod): Promise<unknown> {
  if (!(error instanceof KuberunError) || error.code !== 'pod') return error
  const ending = await findEnding(observer, error)
  if (ending === undefined) return error
  return new KuberunError('pod', `pod "${target.pod}" ended while the folder went up: ${ending.message}`, {
    cause: error,
    ...(ending.hint !== undefined && { hint: ending.hint }),
  })
}
