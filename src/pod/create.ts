import { setTimeout as sleep } from 'node:timers/promises'
import type { V1OwnerReference, V1PodList } from '@kubernetes/client-node'
import { ApiError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { podsPath } from '../kube/resources.ts'
import { isBusy } from '../kube/retry.ts'
import { createNamed } from './create-named.ts'
import { allRunsSelector } from './labels.ts'
import { cannotCreate, isQuotaExceeded } from './refusal.ts'
import type { Reporter } from './reporter.ts'
import { isRestrictedRefusal, restrict } from './restricted.ts'
import type { RunPod } from './run-pod.ts'

/** A quota's usage follows the pods that count against it with a delay. */
const quotaLag = 2_000
/** How long a new namespace may take to be complete, in milliseconds. */
const newNamespace = 10_000
const retryPause = 250

export interface CreateOptions {
  /** How long to wait for quota that our own ending pods still hold, in milliseconds. */
  timeout: number
  /** The pod's guard: asked before each try, as one may be lost while the pod waits. */
  owner: () => V1OwnerReference | undefined
  reporter: Reporter
  signal: AbortSignal
}

export interface CreatedPod {
  /** The manifest that was taken. */
  sent: RunPod
  /** What the API server made of it. */
  created: RunPod
}

/**
 * Creates a pod. One that the "restricted" Pod Security Standard refuses is made compliant and tried again; one for which
 * there is no quota while pods of ours are ending is tried again until they have.
 *
 * @throws {ApiError} the refusal, with what the user can do
 */
export async function createPod(client: KubeClient, pod: RunPod, options: CreateOptions): Promise<CreatedPod> {
  const namespace = pod.metadata.namespace
  try {
    return { sent: pod, created: await createWithinQuota(client, pod, options) }
  } catch (error) {
    if (!isRestrictedRefusal(error)) throw cannotCreate(error, namespace)
  }
  const sent = restrict(pod)
  try {
    return { sent, created: await createWithinQuota(client, sent, options) }
  } catch (error) {
    throw cannotCreate(error, namespace)
  }
}

/** A new namespace gets its service account a moment after itself. */
function isNewNamespace(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403 && /serviceaccount "default" not found/.test(error.message)
}

async function createWithinQuota(client: KubeClient, pod: RunPod, options: CreateOptions): Promise<RunPod> {
  const { reporter, signal, timeout, owner } = options
  const begin = performance.now()
  let lastEnding = begin
  for (;;) {
    try {
      const { name, namespace } = pod.metadata
      return await createNamed(client, { path: podsPath(namespace), name, body: owned(pod, owner()), signal })
    } catch (error) {
      const now = performance.now()
      if (now - begin > timeout) throw error
      if (isNewNamespace(error) && now - begin < newNamespace) {
        reporter.waiting('the namespace is being made ready')
      } else if (isBusy(error)) {
        // The client has tried for a while already.
        reporter.warning(`the API server does not take the pod yet: ${error.message}`)
      } else {
        if (!isQuotaExceeded(error)) throw error
        if (await someAreEnding(client, pod.metadata.namespace, signal)) lastEnding = now
        if (now - lastEnding > quotaLag) throw error
        reporter.waiting("the namespace's quota is used up: waiting for earlier runs to end")
      }
      await sleep(retryPause, undefined, { signal })
    }
  }
}

function owned(pod: RunPod, owner: V1OwnerReference | undefined): RunPod {
  if (owner === undefined) return pod
  const ownerReferences = [...(pod.metadata.ownerReferences ?? []), owner]
  return { ...pod, metadata: { ...pod.metadata, ownerReferences } }
}

async function someAreEnding(client: KubeClient, namespace: string, signal: AbortSignal): Promise<boolean> {
  try {
    const query = { labelSelector: allRunsSelector }
    const list = await client.request<V1PodList>({ method: 'GET', path: podsPath(namespace), query, signal })
    return list.items.some((pod) => pod.metadata?.deletionTimestamp !== undefined)
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}
