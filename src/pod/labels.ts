import type { V1ObjectMeta, V1Pod } from '@kubernetes/client-node'
import { lifeOf } from './client-process.ts'
import { ownerLabel, type RunIdentity } from './name.ts'

const managedBy = 'app.kubernetes.io/managed-by'
const managedByValue = 'kuberun'
const runLabel = 'kuberun/run'
const ownedBy = 'kuberun/owner'
const commandAnnotation = 'kuberun/command'
const startedAnnotation = 'kuberun/started'
/** When a pod that still is Pending has lost its client for sure. */
const startByAnnotation = 'kuberun/start-by'
/** The client's process: whether it lives can be asked on its own machine only. */
const clientAnnotation = 'kuberun/client'
const removeAnnotation = 'kuberun/rm'

/** What marks an object as ours: for people, for the sweep, for `kubectl get pods -l`. */
export function runMetadata(run: RunIdentity): Required<Pick<V1ObjectMeta, 'labels'>> {
  return { labels: { [managedBy]: managedByValue, [runLabel]: run.runId, [ownedBy]: ownerLabel(run.owner) } }
}

export interface RunAnnotations {
  /** The command's program; with its arguments only where the user wants them recorded. */
  command: string
  startBy: Date
  rm: string
}

export function runAnnotations(run: RunIdentity, about: RunAnnotations): Record<string, string> {
  return {
    [commandAnnotation]: about.command,
    [ownedBy]: run.owner,
    [startedAnnotation]: run.started.toISOString(),
    [startByAnnotation]: about.startBy.toISOString(),
    [removeAnnotation]: about.rm,
    [clientAnnotation]: run.client,
  }
}

/** Selects the pods of all runs, whoever started them. */
export const allRunsSelector = `${managedBy}=${managedByValue}`

/** Selects the pods of this owner's runs. */
export function ownRunsSelector(owner: string): string {
  return `${allRunsSelector},${ownedBy}=${ownerLabel(owner)}`
}

/**
 * Whether a pod's run is over while nobody can be expected to remove it any more.
 *
 * Where it can be told, that is when its client's process has ended: one that lives may still have to ask why its pod
 * ended. Otherwise: ended, and a client has had a minute for that; or Pending, and its client must have given up.
 * A pod that was to be kept stays: where that depended on the run's success, one whose holder ended by itself was not.
 */
export function isExpired(pod: V1Pod, now: Date): boolean {
  const annotations = pod.metadata?.annotations ?? {}
  const client = lifeOf(annotations[clientAnnotation] ?? '')
  const phase = pod.status?.phase
  if (pod.metadata?.deletionTimestamp !== undefined || client === 'lives') return false
  const abandoned = client === 'ended' || endedBy(pod, new Date(now.getTime() - clientTime))
  if (annotations[removeAnnotation] === 'on-success') return phase === 'Succeeded' && abandoned
  if (annotations[removeAnnotation] !== 'always') return false
  if (client === 'ended' || ((phase === 'Succeeded' || phase === 'Failed') && abandoned)) return true
  const startBy = annotations[startByAnnotation]
  return phase === 'Pending' && startBy !== undefined && new Date(startBy) < now
}

/** What a client may take that still wants to know why its pod has ended, in milliseconds. */
const clientTime = 60_000

/** By when the last of its containers had ended; where none was ever started, it was created by then. */
function endedBy({ metadata, status }: V1Pod, time: Date): boolean {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt)
  const times = [metadata?.creationTimestamp, ...ends].filter((end) => end !== undefined)
  return times.every((end) => new Date(end) <= time)
}
