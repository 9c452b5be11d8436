import { setTimeout as sleep } from 'node:timers/promises'
import type { V1Container } from '@kubernetes/client-node'
import { type Occurrence, recordEvent } from '../cluster/events.ts'
import { type ContainerState, type Pod, timestamp } from '../cluster/objects.ts'
import { type Container, StartError } from '../runtime.ts'
import { ConfigError } from './config-error.ts'
import { containerSpec } from './container-spec.ts'
import type { Faults } from './faults.ts'
import { imageProblem } from './image.ts'
import { ContainerLog } from './log.ts'
import type { Node } from './node.ts'
import { containerID } from './status.ts'

/** How long a first failure to pull is shown before the kubelet backs off. */
const backOffAfter = 1500

export interface PodContainerOptions {
  node: Node
  faults: Faults
  list: 'initContainers' | 'containers'
  /** The pod as it is now. */
  pod: () => Pod
  /** Its state is another. */
  onChange: () => void
  /** It is not to be started any more, or to end. */
  stop: AbortSignal
  /** The time that it had for that is over. */
  kill: AbortSignal
}

/** A container of a pod, from its image to its end. */
export class PodContainer {
  readonly spec: V1Container
  readonly log = new ContainerLog()
  state: ContainerState = { waiting: { reason: 'PodInitializing' } }
  /** While it runs. */
  running: Container | undefined
  readonly #options: PodContainerOptions

  constructor(spec: V1Container, options: PodContainerOptions) {
    this.spec = spec
    this.#options = options
  }

  /** Resolves when it has ended; rejects when it is stopped before it ran. */
  async run(): Promise<void> {
    const { stop, kill } = this.#options
    await this.#pull()
    stop.throwIfAborted()
    const started = await this.#start()
    if (started === undefined) return
    const startedAt = timestamp()
    this.running = started
    this.#set({ running: { startedAt } })
    this.#tell({ reason: 'Created', message: 'Container created' })
    this.#tell({ reason: 'Started', message: 'Container started' })
    // It came up too late to hear of it.
    if (kill.aborted) started.signal('KILL')
    else if (stop.aborted) this.terminate()
    const outOfMemory = this.#exhaust(started)
    const { code } = await started.ended
    this.running = undefined
    this.log.end()
    this.#end({ exitCode: code, startedAt, reason: outOfMemory() ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error' })
    await started.remove()
  }

  /** Asks it to end. */
  terminate(): void {
    if (this.running === undefined) return
    this.#tell({ reason: 'Killing', message: `Stopping container ${this.spec.name}` })
    this.running.signal('TERM')
  }

  async #pull(): Promise<void> {
    const { image = '', imagePullPolicy } = this.spec
    const problem = imageProblem(this.spec, this.#options.faults.pullError)
    const pulls = imagePullPolicy === 'Always' || problem?.reason === 'ErrImagePull'
    if (pulls) this.#tell({ reason: 'Pulling', message: `Pulling image "${image}"` })
    if (problem !== undefined) return this.#cannotPull(problem)
    const there = `Container image "${image}" already present on machine and can be accessed by the pod`
    const pulled = `Successfully pulled image "${image}" in 1ms (1ms including waiting). Image size: 0 bytes.`
    this.#tell({ reason: 'Pulled', message: pulls ? pulled : there })
  }

  async #cannotPull({ reason, message }: { reason: string; message: string }): Promise<never> {
    const { image } = this.spec
    const detail = reason === 'ErrImagePull' ? `Failed to pull image "${image}": ${message}` : message
    this.#tell({ reason: reason === 'InvalidImageName' ? 'InspectFailed' : 'Failed', message: detail, warning: true })
    this.#hold(reason, message)
    if (reason === 'ErrImagePull') {
      await sleep(backOffAfter, undefined, { signal: this.#options.stop })
      const backOff = `Back-off pulling image "${image}"`
      this.#tell({ reason: 'BackOff', message: backOff })
      this.#hold('ImagePullBackOff', `${backOff}: ErrImagePull: ${message}`)
    }
    return this.#never()
  }

  async #start(): Promise<Container | undefined> {
    const { node, pod } = this.#options
    try {
      const spec = await containerSpec(pod(), this.spec, node.folder)
      return await node.runtime.start({ ...spec, onOutput: (stream, data) => this.log.write(stream, data) })
    } catch (error) {
      const { message } = error as Error
      this.#tell({ reason: 'Failed', message: `Error: ${message}`, warning: true })
      if (!(error instanceof StartError)) {
        const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : 'CreateContainerError'
        return this.#waiting(reason, message)
      }
      this.log.end()
      this.#end({ exitCode: 128, reason: 'StartError', message, startedAt: timestamp(new Date(0)) })
      return undefined
    }
  }

  #exhaust(container: Container): () => boolean {
    const { outOfMemory } = this.#options.faults
    let killed = false
    if (outOfMemory === undefined) return () => false
    const timer = setTimeout(() => {
      killed = true
      container.signal('KILL')
    }, outOfMemory)
    void container.ended.then(() => clearTimeout(timer))
    return () => killed
  }

  async #waiting(reason: string, message: string): Promise<never> {
    this.#set({ waiting: { reason, message } })
    return this.#never()
  }

  #hold(reason: string, message: string): void {
    this.#tell({ reason: 'Failed', message: `Error: ${reason}`, warning: true })
    this.#set({ waiting: { reason, message } })
  }

  /** Nothing here mends it: it waits until the pod is ended. */
  async #never(): Promise<never> {
    const { stop } = this.#options
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }))
    throw stop.reason
  }

  #end(end: Omit<NonNullable<ContainerState['terminated']>, 'finishedAt' | 'containerID'>): void {
    const id = containerID(this.#options.pod(), this.spec.name)
    this.#set({ terminated: { ...end, finishedAt: timestamp(), containerID: id } })
  }

  #set(state: ContainerState): void {
    this.state = state
    this.#options.onChange()
  }

  #tell(what: Occurrence): void {
    const { node, pod, list } = this.#options
    recordEvent(node.store, pod(), { ...what, fieldPath: `spec.${list}{${this.spec.name}}` })
  }
}
