import type { V1PodList } from '@kubernetes/client-node'
import type { KubeClient } from '../kube/client.ts'
import { podsPath } from '../kube/resources.ts'
import { isExpired, ownRunsSelector } from './labels.ts'
import { removePod } from './remove.ts'

/**
 * Removes what this user's earlier runs have left in the namespace: where no guard Job could be made, nobody else does.
 * Never fails: what it can't do now, the next start does.
 */
export async function sweep(
  client: KubeClient,
  options: { namespace: string; owner: string; signal: AbortSignal },
): Promise<void> {
  const { namespace, owner, signal } = options
  try {
    const list = await client.request<V1PodList>({
      method: 'GET',
      path: podsPath(namespace),
      query: { labelSelector: ownRunsSelector(owner) },
      signal,
    })
    const now = new Date()
    const expired = list.items.filter((pod) => isExpired(pod, now)).map((pod) => pod.metadata ?? {})
    await Promise.allSettled(expired.map(({ name = '', uid }) => removePod(client, { namespace, name, uid }, signal)))
  } catch {
    // No right to list, or the cluster is busy.
  }
}
