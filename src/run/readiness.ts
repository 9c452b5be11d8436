import { KuberunError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { type Diagnosis, diagnose } from '../pod/diagnosis.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import { lastComplaint } from '../pod/events.ts'
import type { Reporter } from '../pod/reporter.ts'
import { waitFor } from './wait.ts'

/** The pause before trying again where the watch shows the container as running, and for how long to go on. */
const running = { pause: 250, time: 30_000 }

/** How often the events of a pod are asked that is on its node and does not run; the first time after the half. */
const eventsPause = 4_000

/** A try that takes long shows a busy cluster: the pause after it is this many times as long at least. */
const slowdown = 2

/** Kubernetes would wait for it to appear. */
const missingVolume = /(secret|configmap) "[^"]*" not found|references non-existent (secret|config) key/i

export interface ReadinessOptions {
  /** Whether a shell may be brought to an image that has none. */
  tools: boolean
  reporter: Reporter
  signal: AbortSignal
}

/**
 * Says when it is worth trying an exec.
 *
 * The kubelet shows a container as running 100 to 300 ms after it does run: the exec is tried as soon as the pod has a
 * node, about every 30 ms for the first half second, where it nearly always succeeds, then doubling up to 1 s, 24 times at
 * most. From then on, and wherever something has to come before our container, the watch decides. It also tells when the
 * pod cannot start.
 */
export class Readiness {
  readonly #client: KubeClient
  readonly #pod: EphemeralPod
  readonly #options: ReadinessOptions
  #eager = eagerPauses()
  #reason: string | undefined
  #complaint: string | undefined
  #asked = performance.now() - eventsPause / 2
  #pause = 0
  /** When the last try began. */
  #tried: number | undefined
  #runningSince: number | undefined

  constructor(client: KubeClient, pod: EphemeralPod, options: ReadinessOptions) {
    this.#client = client
    this.#pod = pod
    this.#options = options
  }

  /** What is being waited for, as far as the cluster tells. */
  get reason(): string | undefined {
    return this.#complaint ?? this.#reason
  }

  /**
   * Resolves when an exec may succeed.
   * @throws {KuberunError} `pod` when the pod cannot start
   */
  async worthTrying(): Promise<void> {
    if (this.#tried !== undefined) await this.#rest(this.#pauseAfter(performance.now() - this.#tried))
    for (;;) {
      await this.#askEvents()
      const diagnosis = this.#diagnose()
      if (diagnosis.state === 'failed') await this.#remedy(diagnosis)
      else if (this.#mayTry(diagnosis)) break
      else await this.#rest(eventsPause)
    }
    this.#tried = performance.now()
  }

  #pauseAfter(took: number): number {
    return Math.max(this.#pause, took * slowdown)
  }

  #diagnose(): Diagnosis {
    const { pod, deleted } = this.#pod.observer
    if (!deleted) return diagnose(pod)
    return {
      state: 'failed',
      error: new KuberunError('pod', `pod "${pod.metadata?.name}" was deleted before it started`),
    }
  }

  #mayTry(diagnosis: Exclude<Diagnosis, { state: 'failed' }>): boolean {
    if (diagnosis.state === 'running') return this.#tryRunning()
    this.#show(diagnosis.reason, diagnosis.blocked ?? false)
    const next = diagnosis.mayExec ? this.#eager.next() : { done: true as const }
    if (next.done) return false
    this.#pause = next.value
    return true
  }

  #tryRunning(): boolean {
    const now = performance.now()
    this.#runningSince ??= now
    this.#pause = running.pause
    if (now - this.#runningSince < running.time) return true
    const { pod } = this.#pod.target
    throw new KuberunError('pod', `pod "${pod}" is shown as running, but nothing can be run in its container`, {
      hint: 'its node may be in trouble: run it again',
    })
  }

  async #remedy({ error, remedy }: Diagnosis & { state: 'failed' }): Promise<void> {
    const { tools, reporter } = this.#options
    if (remedy === undefined || (remedy === 'tools' && !tools)) throw error
    // Another remake would have the same end.
    if (this.#pod.target.pod.endsWith(`-${remedy}`)) throw error
    reporter.waiting(
      remedy === 'tools' ? 'bringing a shell to the image' : 'the image would run as root: taking another uid',
    )
    await this.#pod.remake(remedy)
    this.#eager = eagerPauses()
  }

  #show(reason: string | undefined, blocked: boolean): void {
    if (reason === undefined || reason === this.#reason) return
    this.#reason = reason
    if (blocked) this.#options.reporter.warning(`pod "${this.#pod.target.pod}" is waiting: ${reason}`)
    else this.#options.reporter.waiting(reason)
  }

  /** A pod that stays on its node without running says why in its events only. */
  async #askEvents(): Promise<void> {
    const now = performance.now()
    if (this.#pod.observer.pod.spec?.nodeName === undefined || now - this.#asked < eventsPause) return
    this.#asked = now
    this.#complaint = await lastComplaint(this.#client, this.#pod.target, this.#options.signal)
    if (this.#complaint === undefined) return
    if (missingVolume.test(this.#complaint)) throw this.#cannotStart(this.#complaint)
    this.#options.reporter.warning(`pod "${this.#pod.target.pod}" is waiting: ${this.#complaint}`)
  }

  #cannotStart(cause: string): KuberunError {
    return new KuberunError('pod', `pod "${this.#pod.target.pod}" cannot start: ${cause}`, {
      hint: 'it must be there, in the same namespace, before the run starts',
    })
  }

  /** Until the pod changes, or for so long. */
  async #rest(atMost: number): Promise<void> {
    await waitFor(this.#pod.observer.change(), { atMost, signal: this.#options.signal })
  }
}

function* eagerPauses(): Generator<number, undefined, void> {
  for (let n = 0; n < 16; n++) yield 30
  for (let n = 0; n < 8; n++) yield Math.min(60 * 2 ** n, 1_000)
}
