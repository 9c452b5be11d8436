import type { ApiError } from '../errors.ts'
import type { Target } from '../exec/exec.ts'
import type { KubeClient } from '../kube/client.ts'
import { createPod } from './create.ts'
import { Guard } from './guard.ts'
import { doomed, keptPod, leftBehind } from './left-behind.ts'
import { MadePods } from './made-pods.ts'
import { type ManifestInput, podManifest } from './manifest.ts'
import { PodObserver } from './observer.ts'
import type { Reporter } from './reporter.ts'
import { restrict, restrictedUid, uidOf } from './restricted.ts'
import { containerName, type RunPod } from './run-pod.ts'
import { plainShell, type Shell, toolsShell } from './shell.ts'
import { withTools } from './tools.ts'

export interface EphemeralPodOptions {
  /** How long to wait for quota, in milliseconds. */
  timeout: number
  reporter: Reporter
  signal: AbortSignal
}

/**
 * A run's pod, which we make and delete: whatever happens to the run, disposing of it removes what was made, or says
 * what is left.
 */
export class EphemeralPod implements AsyncDisposable {
  /** Whether to leave the pod to the user. */
  keep: boolean
  /** Whether the container has been told to go on without us. */
  lasts = false
  readonly #client: KubeClient
  readonly #input: ManifestInput
  readonly #options: EphemeralPodOptions
  #watching = new AbortController()
  #manifest: RunPod
  #shell = plainShell
  /** Who wanted the command to run without privileges. */
  #restrictedBy: 'namespace' | 'pod' | undefined
  #guard: Guard | undefined
  /** The guard owns the pods that are made from now on. */
  #guarding = true
  /** The pod that is being created; never rejects. */
  #making: Promise<unknown> = Promise.resolve()
  #disposal: Promise<void> | undefined
  #observer: PodObserver | undefined
  readonly #made: MadePods

  private constructor(client: KubeClient, input: ManifestInput, options: EphemeralPodOptions) {
    this.keep = input.rm !== 'always'
    this.#client = client
    this.#input = input
    this.#options = options
    this.#made = new MadePods(client, input.namespace)
    this.#manifest = podManifest(input)
    if (input.options.tools === 'always') this.#bringTools()
  }

  /**
   * @throws {UsageError} the overrides do not fit
   * @throws {ApiError} what the API server refused; nothing is left behind then
   */
  static async create(client: KubeClient, input: ManifestInput, options: EphemeralPodOptions): Promise<EphemeralPod> {
    const pod = new EphemeralPod(client, input, options)
    try {
      if (input.rm !== 'never') await pod.#makeGuard()
      await pod.#make()
    } catch (error) {
      await pod[Symbol.asyncDispose]()
      throw error
    }
    return pod
  }

  get target(): Target {
    return { namespace: this.#input.namespace, pod: this.#manifest.metadata.name, container: containerName }
  }

  get runId(): string {
    return this.#input.run.runId
  }

  get shell(): Shell {
    return this.#shell
  }

  /** What the cluster says of the pod. */
  get observer(): PodObserver {
    if (this.#observer === undefined) throw new Error('the pod has not been made')
    return this.#observer
  }

  /** As whom the command runs where the pod had to be restricted, and why; undefined where not. */
  get restriction(): string | undefined {
    if (this.#restrictedBy === undefined) return undefined
    const uid = uidOf(this.#manifest)
    const who = uid === undefined ? "as the image's own user" : `as uid ${uid}`
    const why =
      this.#restrictedBy === 'namespace'
        ? `namespace "${this.#input.namespace}" demands the "restricted" Pod Security Standard`
        : 'the image would run as root, which its pod must not'
    return `${why}: the command runs ${who}, without privileges`
  }

  /** Replaces a pod that cannot start by one that can: with a shell of ours, or with a uid that is not root's. */
  async remake(remedy: 'tools' | 'uid'): Promise<void> {
    const { pod } = this.target
    this.#watching.abort()
    this.#watching = new AbortController()
    await this.#made.remove(pod)
    if (remedy === 'tools') this.#bringTools()
    else this.#takeUid()
    this.#manifest = { ...this.#manifest, metadata: { ...this.#manifest.metadata, name: `${pod}-${remedy}` } }
    await this.#make()
  }

  /** Removes what was made; once, however often it is called. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  async #dispose(): Promise<void> {
    this.#watching.abort()
    const pods = this.keep ? [] : this.#made.names
    const removals = pods.map((name) => this.#removeOrTell(name))
    // Not beside them: what the garbage collector deletes first for want of its owner gets the whole grace period, and a
    // later delete with a shorter one does not hasten that. A guard that nobody knows of owns nothing.
    if (this.#guard?.ownerReference !== undefined) await Promise.all(removals)
    await Promise.all([...removals, this.#removeGuard()])
    if (this.keep && this.#made.names.length > 0) this.#options.reporter.note(keptPod(this))
  }

  async #removeOrTell(name: string): Promise<void> {
    try {
      await this.#made.remove(name)
    } catch (error) {
      if (!this.#made.isRefusedAgain(name, error)) this.#tellLeft('pod', name, error)
    }
  }

  async #removeGuard(): Promise<void> {
    await this.#guard?.remove(this.keep).catch((error: unknown) => this.#tellLeft('job', this.#input.run.name, error))
  }

  #tellLeft(kind: 'pod' | 'job', name: string, error: unknown): void {
    const { namespace } = this.#input
    this.#options.reporter.warning(leftBehind({ kind, name, namespace, error, podIsKept: this.keep }))
  }

  async #makeGuard(): Promise<void> {
    const { run, namespace, options } = this.#input
    const { image, orphanTimeout } = options
    // Known before it is made, so that a lost answer leaves none.
    this.#guard = new Guard(this.#client, run, { namespace, image, orphanTimeout })
    await this.#guard.make(this.#options.signal)
    this.#guard.keepAlive((error) => void this.#giveUpGuard(error))
  }

  /** Who may create Jobs but not patch them must not have a run ended by its own guard. */
  async #giveUpGuard(error: ApiError): Promise<void> {
    this.#guarding = false
    // A pod that is created with an owner that is gone already would be removed at once.
    await this.#making
    if (this.#disposal !== undefined) return
    await this.#guard?.remove(true).catch(() => this.#options.reporter.warning(doomed(error)))
  }

  async #make(): Promise<void> {
    const creating = this.#made.make(this.target.pod, () =>
      createPod(this.#client, this.#manifest, {
        ...this.#options,
        owner: () => (this.#guarding ? this.#guard?.ownerReference : undefined),
      }),
    )
    this.#making = creating.catch(() => {})
    const { sent, created } = await creating
    if (sent !== this.#manifest) this.#restrictedBy = 'namespace'
    this.#manifest = sent
    this.#observer = new PodObserver(this.#client, created, this.#watching.signal)
  }

  #takeUid(): void {
    this.#manifest = restrict(this.#manifest, restrictedUid)
    this.#restrictedBy ??= 'pod'
  }

  #bringTools(): void {
    const { toolsImage, orphanTimeout } = this.#input.options
    this.#manifest = withTools(this.#manifest, { image: toolsImage, orphanTimeout })
    this.#shell = toolsShell
  }
}
