import { ApiError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'

/**
 * Creates an object under a name that is ours alone: a conflict means that an earlier answer was lost, not that somebody
 * else has it.
 *
 * @param object.path of the collection
 */
export async function createNamed<T>(
  client: KubeClient,
  object: { path: string; name: string; body: unknown; timeout?: number; signal: AbortSignal },
): Promise<T> {
  const { name, body, ...how } = object
  try {
    return await client.request({ method: 'POST', body, ...how })
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
    return await client.request({ ...how, method: 'GET', path: `${how.path}/${encodeURIComponent(name)}` })
  }
}
