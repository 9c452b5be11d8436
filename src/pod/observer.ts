import type { V1Pod } from '@kubernetes/client-node'
import type { KubeClient } from '../kube/client.ts'
import { podsPath } from '../kube/resources.ts'
import type { RunPod } from './run-pod.ts'

/**
 * A pod as the cluster sees it, kept current by a watch that begins at the create's own version, so that nothing is
 * missed. A watch that fails for good is remembered and told to whoever asks next.
 */
export class PodObserver {
  /** The last state seen; after a deletion the state that it was deleted in. */
  pod: V1Pod
  /** The object is gone. */
  deleted = false
  #failure: unknown
  #change = Promise.withResolvers<void>()

  constructor(client: KubeClient, pod: RunPod, signal: AbortSignal) {
    this.pod = pod
    void this.#watch(client, pod, signal)
  }

  /** The next change; rejects when the watch has failed for good. */
  async change(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await this.#change.promise
    if (this.#failure !== undefined) throw this.#failure
  }

  async #watch(client: KubeClient, pod: RunPod, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion = '' } = pod.metadata
    try {
      const events = client.watch<V1Pod>({
        path: podsPath(namespace),
        query: { fieldSelector: `metadata.name=${name}` },
        resourceVersion,
        known: [pod],
        signal,
      })
      for await (const { type, object } of events) {
        if (object.metadata?.uid !== uid) continue
        this.pod = object
        this.deleted = type === 'DELETED'
        this.#wake()
      }
    } catch (error) {
      if (signal.aborted) return
      this.#failure = error
      this.#wake()
    }
  }

  #wake(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}
