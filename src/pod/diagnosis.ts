import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { KuberunError } from '../errors.ts'
import { endingOf, type PodEnding } from './ending.ts'
import { containerName } from './run-pod.ts'
import { waitingProblem } from './waiting.ts'

/** What a pod's status says of a run that has not started yet. */
export type Diagnosis =
  /** Not there yet; `reason` is worth showing, `blocked` will not pass without somebody's doing. */
  | { state: 'waiting'; mayExec: boolean; reason?: string; blocked?: boolean }
  /** Our container runs. */
  | { state: 'running' }
  /** It cannot start. */
  | { state: 'failed'; error: KuberunError; remedy?: 'tools' | 'uid' }

/**
 * Why a pod is not running yet, and whether waiting makes sense.
 *
 * Only our container and the init containers before it count: an injected sidecar neither holds a run up nor ends it.
 */
export function diagnose(pod: V1Pod): Diagnosis {
  const ending = endingOf(pod)
  if (ending !== undefined) return failed(pod, ending)
  const ours = pod.status?.containerStatuses?.find((c) => c.name === containerName)
  if (ours?.state?.running !== undefined) return { state: 'running' }
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(ours ? [ours] : [])]) {
    const problem = waitingProblem(pod, status)
    if (problem !== undefined) return problem
  }
  return unscheduled(pod) ?? starting(pod, ours)
}

function failed(pod: V1Pod, ending: PodEnding): Diagnosis {
  const error = new KuberunError('pod', `pod "${pod.metadata?.name}" did not start: ${ending.message}`, {
    ...(ending.hint !== undefined && { hint: ending.hint }),
  })
  return ending.noShell ? { state: 'failed', error, remedy: 'tools' } : { state: 'failed', error }
}

function unscheduled(pod: V1Pod): Diagnosis | undefined {
  const scheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False')
  if (scheduled === undefined) return undefined
  const reason = `it cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? 'no node takes it'}`
  return { state: 'waiting', mayExec: false, reason, blocked: true }
}

/** A container that the watch does not show as running may run already, unless others have to come before it. */
function starting(pod: V1Pod, ours: V1ContainerStatus | undefined): Diagnosis {
  if (pod.spec?.nodeName === undefined) return { state: 'waiting', mayExec: false, reason: 'waiting for a node' }
  const init = pod.spec.initContainers?.length ?? 0
  const others = pod.spec.containers.length - 1
  const waiting = ours?.state?.waiting?.reason
  const mayExec = init === 0 && others === 0 && (waiting === undefined || waiting === 'ContainerCreating')
  const reason =
    init > 0 && waiting === 'PodInitializing' ? 'init containers are running' : 'the container is being made'
  return { state: 'waiting', mayExec, reason }
}
