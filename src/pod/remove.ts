import { ApiError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { podPath } from '../kube/resources.ts'

/** Clean-up must end, also where nothing answers any more. */
export const cleanUpTime = 10_000

/**
 * Deletes a pod of ours: one request, whose effect is not waited for. A pod that is gone, or of another uid, is fine.
 *
 * One second of grace and not none: without any, the API server forgets the pod while its processes may still run.
 */
export async function removePod(
  client: KubeClient,
  pod: { namespace: string; name: string; uid: string | undefined },
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.request({
      method: 'DELETE',
      path: podPath(pod.namespace, pod.name),
      body: { gracePeriodSeconds: 1, ...(pod.uid !== undefined && { preconditions: { uid: pod.uid } }) },
      patience: cleanUpTime,
      signal: AbortSignal.any([AbortSignal.timeout(cleanUpTime), ...(signal === undefined ? [] : [signal])]),
    })
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return
    throw error
  }
}
