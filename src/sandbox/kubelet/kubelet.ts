import type { Pod } from '../cluster/objects.ts'
import { pods } from '../cluster/resources.ts'
import type { Node } from './node.ts'
import type { PodContainer } from './pod-container.ts'
import { PodWorker } from './pod-worker.ts'

/** Runs the pods of the store, and tells their containers. Disposing of it kills them. */
export class Kubelet implements AsyncDisposable {
  readonly #workers = new Map<string, PodWorker>()
  readonly #graces = new Map<string, number>()
  readonly #runs = new Set<Promise<void>>()
  readonly #stop: () => void

  /** @param onError takes what should not happen */
  constructor(node: Node, onError: (error: unknown) => void) {
    this.#stop = node.store.listen(({ type, resource, object }) => {
      if (resource !== pods) return
      const { uid, deletionTimestamp, deletionGracePeriodSeconds: grace = 0 } = object.metadata
      if (type === 'ADDED') this.#start(object as Pod, node, onError)
      else if (type === 'DELETED') this.#forget(uid)
      else if (deletionTimestamp !== undefined) this.#shorten(uid, grace)
    })
  }

  /** A container of a pod that this node has. */
  container({ metadata }: Pod, name: string): PodContainer | undefined {
    const worker = this.#workers.get(metadata.uid)
    return [...(worker?.main ?? []), ...(worker?.init ?? [])].find(({ spec }) => spec.name === name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    for (const worker of this.#workers.values()) worker.terminate(0)
    await Promise.all(this.#runs)
  }

  #start(pod: Pod, node: Node, onError: (error: unknown) => void): void {
    const worker = new PodWorker(pod, node)
    this.#workers.set(pod.metadata.uid, worker)
    const run = worker.run().catch(onError)
    this.#runs.add(run)
    void run.then(() => this.#runs.delete(run))
  }

  #shorten(uid: string, grace: number): void {
    // A pod changes often while it ends.
    if (this.#graces.get(uid) === grace) return
    this.#graces.set(uid, grace)
    this.#workers.get(uid)?.terminate(grace)
  }

  /** Its logs go with the object; its run goes on until its processes have ended. */
  #forget(uid: string): void {
    this.#workers.get(uid)?.terminate(0)
    this.#workers.delete(uid)
    this.#graces.delete(uid)
  }
}
