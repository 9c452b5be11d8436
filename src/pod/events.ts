import type { CoreV1EventList } from '@kubernetes/client-node'
import type { Target } from '../exec/exec.ts'
import type { KubeClient } from '../kube/client.ts'
import { eventsPath } from '../kube/resources.ts'

/** What keeps a pod from starting and shows in no status: volumes and the network. */
const holdsUp = /^(Failed(Mount|AttachVolume|MapVolume|CreatePodSandBox)|NetworkNotReady)$/

/**
 * What the cluster last complained of about a pod: volumes that cannot be mounted, a network that cannot be set up.
 * Its status tells none of that. Undefined where there is nothing, or events may not be read.
 */
export async function lastComplaint(
  client: KubeClient,
  target: Target,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const fieldSelector = `involvedObject.name=${target.pod},type=Warning`
    const list = await client.request<CoreV1EventList>({
      method: 'GET',
      path: eventsPath(target.namespace),
      query: { fieldSelector },
      signal,
    })
    const last = list.items.findLast(({ reason = '' }) => holdsUp.test(reason))
    return last?.message && `${last.reason}: ${last.message}`
  } catch {
    return undefined
  }
}
