import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordEvent } from '../cluster/events.ts'
import { type Pod, timestamp } from '../cluster/objects.ts'
import { pods } from '../cluster/resources.ts'
import { removeFolder } from '../runtime/state.ts'
import { type Faults, faultsOf } from './faults.ts'
import type { Node } from './node.ts'
import { PodContainer, type PodContainerOptions } from './pod-container.ts'
import { schedule } from './scheduling.ts'
import { podStatus } from './status.ts'
import { MountError, makeVolumes } from './volumes.ts'

const evicted = {
  reason: 'Evicted',
  message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ',
}
const pastDeadline = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

/** The life of one pod, from its creation until its containers have ended. */
export class PodWorker {
  readonly init: readonly PodContainer[]
  readonly main: readonly PodContainer[]
  readonly #node: Node
  readonly #faults: Faults
  readonly #created: Pod
  readonly #startTime = timestamp()
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly #timers: NodeJS.Timeout[] = []
  #podIP: string | undefined
  #failure: { reason: string; message: string } | undefined

  constructor(pod: Pod, node: Node) {
    this.#created = pod
    this.#node = node
    this.#faults = faultsOf(pod, node.faults)
    const make = (list: PodContainerOptions['list']): PodContainer[] =>
      (pod.spec[list] ?? []).map((spec) => new PodContainer(spec, this.#optionsOf(list)))
    this.init = make('initContainers')
    this.main = make('containers')
  }

  /** Resolves when all of it has ended and nothing of it is left on the node. */
  async run(): Promise<void> {
    try {
      await schedule(this.#node.store, this.#pod, { ...this.#faults, node: this.#node.name, stop: this.#stop.signal })
      this.#setTimers()
      await this.#prepare()
      if (await this.#initialize()) await together(this.main.map((container) => container.run()))
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    }
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#finish()
  }

  /** Ends its containers: TERM now, KILL after the grace; called again it may shorten the grace. */
  terminate(graceSeconds: number): void {
    const all = [...this.init, ...this.main]
    if (!this.#stop.signal.aborted) {
      this.#stop.abort()
      if (graceSeconds > 0) for (const container of all) container.terminate()
    }
    const kill = (): void => {
      this.#kill.abort()
      for (const container of all) container.running?.signal('KILL')
    }
    this.#timers.push(setTimeout(kill, graceSeconds * 1000))
  }

  get #pod(): Pod {
    return this.#node.store.get<Pod>(pods, this.#created.metadata) ?? this.#created
  }

  #optionsOf(list: PodContainerOptions['list']): PodContainerOptions {
    const options = { node: this.#node, faults: this.#faults, list, stop: this.#stop.signal }
    return { ...options, kill: this.#kill.signal, pod: () => this.#pod, onChange: () => this.#publish() }
  }

  #setTimers(): void {
    const { activeDeadlineSeconds, terminationGracePeriodSeconds = 30 } = this.#created.spec
    const after = (milliseconds: number | undefined, act: () => void): void => {
      // A timer cannot hold more than 24 days.
      if (milliseconds !== undefined) this.#timers.push(setTimeout(act, Math.min(milliseconds, 2 ** 31 - 1)))
    }
    const deadline = activeDeadlineSeconds === undefined ? undefined : activeDeadlineSeconds * 1000
    after(deadline, () => this.#fail(pastDeadline, terminationGracePeriodSeconds))
    after(this.#faults.evicted, () => this.#fail(evicted, 0))
    after(this.#faults.apiRestart, () => this.#node.restartApi())
  }

  #fail(failure: { reason: string; message: string }, grace: number): void {
    this.#failure ??= failure
    recordEvent(this.#node.store, this.#pod, { ...failure, warning: failure === evicted })
    this.terminate(grace)
  }

  async #prepare(): Promise<void> {
    const { stop } = this.#optionsOf('containers')
    if (this.init.length === 0) for (const { state } of this.main) state.waiting = { reason: 'ContainerCreating' }
    this.#publish()
    await sleep(this.#faults.slowStart ?? 0, undefined, { signal: stop })
    for (;;) {
      try {
        await makeVolumes(join(this.#node.folder, this.#pod.metadata.uid), this.#pod)
        break
      } catch (error) {
        if (!(error instanceof MountError)) throw error
        recordEvent(this.#node.store, this.#pod, { reason: 'FailedMount', message: error.message, warning: true })
        await sleep(2000, undefined, { signal: stop })
      }
    }
    this.#podIP = this.#node.nextIP()
    this.#publish()
  }

  /** @returns whether all init containers ended well */
  async #initialize(): Promise<boolean> {
    for (const container of this.init) {
      await container.run()
      if (container.state.terminated?.exitCode !== 0) return false
    }
    return !this.#stop.signal.aborted
  }

  async #finish(): Promise<void> {
    const { store, folder } = this.#node
    this.#publish()
    await removeFolder(join(folder, this.#created.metadata.uid))
    if (this.#pod.metadata.deletionTimestamp !== undefined) store.remove(pods, this.#created)
  }

  #publish(): void {
    const { store, hostIP } = this.#node
    const states = new Map([...this.init, ...this.main].map(({ spec, state }) => [spec, state]))
    store.change(pods, this.#created, (draft) => {
      if (draft.spec.nodeName === undefined) return
      const facts = { startTime: this.#startTime, hostIP, states, now: timestamp() }
      draft.status = podStatus(
        { ...draft, spec: this.#created.spec },
        { ...facts, ...(this.#podIP && { podIP: this.#podIP }), ...(this.#failure && { failure: this.#failure }) },
      )
    })
  }
}

/** Resolves when all have ended; only then it rejects where one has. */
async function together(runs: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(runs)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
