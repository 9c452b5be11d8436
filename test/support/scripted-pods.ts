import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { type Container, startContainer } from './container.ts'

export type StoredPod = V1Pod & {
  metadata: NonNullable<V1Pod['metadata']> & { name: string }
  spec: NonNullable<V1Pod['spec']>
  status: NonNullable<V1Pod['status']>
}

export interface PodEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  version: number
  object: StoredPod
}

/** The pods of a scripted server, their history, and the containers that stand in for them. */
export class ScriptedPods {
  readonly all = new Map<string, LivingPod>()
  readonly events: PodEvent[] = []
  readonly watchers = new Set<(event: PodEvent) => void>()
  version = 1000

  add(manifest: V1Pod): LivingPod {
    const pod = new LivingPod(this, structuredClone(manifest) as StoredPod)
    this.all.set(pod.name, pod)
    pod.tell('ADDED')
    return pod
  }

  emit(type: PodEvent['type'], object: StoredPod): void {
    const event = { type, version: this.version, object: structuredClone(object) }
    this.events.push(event)
    for (const watcher of this.watchers) watcher(event)
  }
}

/** One pod that a test brings to life. */
export class LivingPod {
  readonly object: StoredPod
  container: Container | undefined
  readonly #pods: ScriptedPods

  constructor(pods: ScriptedPods, object: StoredPod) {
    this.#pods = pods
    this.object = object
    object.metadata = { uid: crypto.randomUUID(), creationTimestamp: new Date(), ...object.metadata }
    object.status = { phase: 'Pending', ...object.status }
  }

  get name(): string {
    return this.object.metadata.name
  }

  tell(type: PodEvent['type']): void {
    this.#pods.version += 1
    this.object.metadata.resourceVersion = String(this.#pods.version)
    this.#pods.emit(type, this.object)
  }

  update(change: (pod: StoredPod) => void): void {
    change(this.object)
    this.tell('MODIFIED')
  }

  /** The scheduler has found a node. */
  schedule(): void {
    this.update(({ spec, status }) => {
      spec.nodeName = 'node-1'
      status.conditions = [{ type: 'PodScheduled', status: 'True' }]
    })
  }

  /** The state of our container. */
  state(state: NonNullable<V1ContainerStatus['state']>, more: Partial<V1ContainerStatus> = {}): void {
    this.update(({ spec, status }) => {
      const { name = '', image = '' } = spec.containers[0] ?? {}
      const running = state.running !== undefined
      if (running) status.phase = 'Running'
      status.containerStatuses = [
        { name, image, imageID: '', ready: running, started: running, restartCount: 0, state, ...more },
      ]
    })
  }

  /** The container runs; the watch tells it after that. */
  async start(): Promise<void> {
    const container = await startContainer(this.object.spec.containers[0]?.command ?? [])
    if (!this.#pods.all.has(this.name)) return container[Symbol.asyncDispose]()
    this.container = container
    this.state({ running: { startedAt: new Date() } })
    void container.exitCode.then((exitCode) => {
      this.container = undefined
      const told = this.object.status.containerStatuses?.[0]?.state?.terminated !== undefined
      if (told || !this.#pods.all.has(this.name)) return
      this.object.status.phase = exitCode === 0 ? 'Succeeded' : 'Failed'
      this.state({ terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } })
    })
  }

  /** Ends the container at once. */
  async kill(): Promise<void> {
    await this.container?.[Symbol.asyncDispose]()
  }

  /** As the kubelet does after a DELETE: TERM, the grace period, KILL, then the object is gone. */
  async remove(gracePeriod: number): Promise<void> {
    this.update(({ metadata }) => {
      metadata.deletionTimestamp = new Date()
      metadata.deletionGracePeriodSeconds = gracePeriod
    })
    const { container } = this
    if (container !== undefined) {
      const kill = setTimeout(() => void container[Symbol.asyncDispose](), gracePeriod * 1000)
      container.kill('SIGTERM')
      await container.exitCode
      clearTimeout(kill)
    }
    this.#pods.all.delete(this.name)
    this.tell('DELETED')
  }
}
