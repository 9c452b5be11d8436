import type { V1Job, V1OwnerReference } from '@kubernetes/client-node'
import { ApiError, KuberunError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { jobPath, jobsPath } from '../kube/resources.ts'
import { isOutOfReach } from '../kube/retry.ts'
import { createNamed } from './create-named.ts'
import { beatInterval } from './holder.ts'
import { runMetadata } from './labels.ts'
import type { RunIdentity } from './name.ts'
import { cleanUpTime } from './remove.ts'

/** What the Job's deadline is longer than the holder's: the holder, which lets the command end in peace, goes first. */
const margin = 15_000
/** What the pod may be held up for its guard, in milliseconds. */
const createTime = 2_000

export interface GuardOptions {
  namespace: string
  image: string
  /** Milliseconds. */
  orphanTimeout: number
}

/**
 * The guard of a run: a Job that never starts a pod and owns ours.
 *
 * When its deadline passes, Kubernetes' own controllers remove it and, as what it owned, the pod, be that finished,
 * running or pending. It is prolonged from its creation until it is removed: a pod may wait for quota for longer than the
 * deadline. A guard is made before its pod, so that there is no moment in which a killed client leaves an unguarded pod.
 */
export class Guard {
  /** Absent where no answer has told that it was made: it may have been, and is to be removed. */
  ownerReference: V1OwnerReference | undefined
  readonly #client: KubeClient
  readonly #run: RunIdentity
  readonly #options: GuardOptions
  #refused = false
  readonly #born = performance.now()
  readonly #stopped = new AbortController()

  constructor(client: KubeClient, run: RunIdentity, options: GuardOptions) {
    this.#client = client
    this.#run = run
    this.#options = options
  }

  /** Makes the Job. Where the cluster allows none, the next start of ours sweeps. */
  async make(signal: AbortSignal): Promise<void> {
    const { namespace, image, orphanTimeout } = this.#options
    const { name } = this.#run
    const body = guardJob(this.#run, { image, deadline: seconds(orphanTimeout + margin) })
    try {
      const path = jobsPath(namespace)
      const job = await createNamed<V1Job>(this.#client, { path, name, body, timeout: createTime, signal })
      this.ownerReference = { apiVersion: 'batch/v1', kind: 'Job', name, uid: job.metadata?.uid ?? '' }
    } catch (error) {
      this.#refused = !mayBeMade(error)
      // What concerns the pod too, its own create will tell.
      if (!isForWantOfGuard(error)) throw error
    }
  }

  /** @param onRefused called once, when the Job may not be prolonged: it would end the run that it guards */
  keepAlive(onRefused: (error: ApiError) => void): void {
    if (this.ownerReference === undefined) return
    const { signal } = this.#stopped
    const prolong = (): void => {
      this.#prolong(signal).catch((error: unknown) => {
        // Anything else may be better the next time, long before the deadline.
        if (!isForbidden(error) || signal.aborted) return
        this.#stopped.abort()
        onRefused(error)
      })
    }
    const timer = setInterval(prolong, beatInterval(this.#options.orphanTimeout))
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  /** Moves the deadline to an orphan's time from now. */
  async #prolong(signal: AbortSignal): Promise<void> {
    const activeDeadlineSeconds = seconds(performance.now() - this.#born + this.#options.orphanTimeout + margin)
    await this.#client.request({
      method: 'PATCH',
      path: this.#path(),
      body: { spec: { activeDeadlineSeconds } },
      signal,
    })
  }

  /** Removes the Job; `keepPod` leaves the pod without an owner. A Job that is gone is fine. */
  async remove(keepPod: boolean): Promise<void> {
    this.#stopped.abort()
    if (this.#refused) return
    try {
      await this.#client.request({
        method: 'DELETE',
        path: this.#path(),
        query: { propagationPolicy: keepPod ? 'Orphan' : 'Background' },
        patience: cleanUpTime,
        signal: AbortSignal.timeout(cleanUpTime),
      })
    } catch (error) {
      if (this.ownerReference === undefined) return
      // One that may not be deleted ends at its deadline, and by then it owns nothing, unless the pod is kept.
      if (!(error instanceof ApiError) || (keepPod && error.status !== 404)) throw error
    }
  }

  #path(): string {
    return jobPath(this.#options.namespace, this.#run.name)
  }
}

/** Not allowed, over quota, refused by a policy, or not answered in time. */
function isForWantOfGuard(error: unknown): boolean {
  if (error instanceof ApiError) return error.status !== 401
  // Where no server is, the pod need not be tried, which would then have to be looked for.
  return error instanceof KuberunError && error.code === 'connection' && !isOutOfReach(error)
}

/** Whether the Job may be there all the same: its answer was lost, not awaited, or is the server's trouble. */
function mayBeMade(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500
  return !(error instanceof KuberunError) || (error.code === 'connection' && !isOutOfReach(error))
}

/** By RBAC, by a server without PATCH, or by a policy. */
function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && [403, 405, 422].includes(error.status)
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}

function guardJob(run: RunIdentity, options: { image: string; deadline: number }): V1Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: run.name, ...runMetadata(run) },
    spec: {
      parallelism: 0,
      backoffLimit: 0,
      activeDeadlineSeconds: options.deadline,
      ttlSecondsAfterFinished: 0,
      template: { spec: neverStarted(options.image) },
    },
  }
}

/** A template is obligatory; this one warns under no Pod Security Standard. */
function neverStarted(image: string): NonNullable<V1Job['spec']>['template']['spec'] & object {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      { name: 'never', image, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
    ],
  }
}
