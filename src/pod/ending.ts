import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node'
import { containerName } from './run-pod.ts'
import { noShell } from './waiting.ts'

/** Why a pod, or our container in it, is over, or about to be. */
export interface PodEnding {
  /** What happened, to go behind `pod "x" …: `. */
  message: string
  hint?: string
  /** Our container was killed by the kernel for want of memory; the limit where there is one. */
  outOfMemory?: { limit?: string }
  /** The image has no shell. */
  noShell?: true
}

/** Reads from a pod's status that it has ended or is being ended; undefined while all is well. */
export function endingOf(pod: V1Pod): PodEnding | undefined {
  const ours = pod.status?.containerStatuses?.find((c) => c.name === containerName)
  const terminated = ours?.state?.terminated ?? ours?.lastState?.terminated
  return (
    podFailure(pod) ??
    disruption(pod) ??
    initFailure(pod) ??
    (terminated && containerFailure(pod, terminated)) ??
    // Behind it, as the grace period's end kills the container: that is not why.
    deletion(pod) ??
    (terminated && { message: `its container ended (${terminated.reason ?? 'exit code'} ${terminated.exitCode})` })
  )
}

function podFailure(pod: V1Pod): PodEnding | undefined {
  const { phase, reason, message } = pod.status ?? {}
  if (phase !== 'Failed' || reason === undefined) return undefined
  if (reason === 'DeadlineExceeded') {
    return {
      message: `its deadline of ${pod.spec?.activeDeadlineSeconds} s has passed`,
      hint: 'raise it with --deadline',
    }
  }
  if (reason === 'Evicted')
    return {
      message: `it was evicted: ${message ?? 'no cause given'}`,
      hint: 'run it again; --requests reserves what it needs',
    }
  return { message: message ? `${reason}: ${message}` : reason, hint: 'the node or the cluster ended it: run it again' }
}

/** Drains, preemptions and taints are told by a condition before the pod is gone. */
function disruption(pod: V1Pod): PodEnding | undefined {
  const target = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True')
  if (target === undefined) return undefined
  return {
    message: `it was evicted: ${target.message ?? target.reason}`,
    hint: 'the cluster needed its place: run it again',
  }
}

function initFailure(pod: V1Pod): PodEnding | undefined {
  const init = pod.status?.initContainerStatuses?.find((c) => (c.state?.terminated?.exitCode ?? 0) !== 0)
  const terminated = init?.state?.terminated
  if (init === undefined || terminated === undefined || pod.status?.phase !== 'Failed') return undefined
  const { exitCode, reason, message } = terminated
  return { message: `init container "${init.name}" failed with ${message ?? reason ?? 'exit code'} (${exitCode})` }
}

function containerFailure(pod: V1Pod, { reason, message = '' }: V1ContainerStateTerminated): PodEnding | undefined {
  const limit = memoryLimit(pod)
  if (reason === 'OOMKilled') {
    return {
      message: `it ran out of memory${limit === undefined ? '' : ` (limit ${limit})`}`,
      hint: 'raise it with --limits=memory=…',
      outOfMemory: limit === undefined ? {} : { limit },
    }
  }
  if (noShell(message)) {
    return { message: 'its image has no shell', hint: 'allow --tools=auto, which brings one', noShell: true }
  }
  if (reason === 'StartError' || reason === 'ContainerCannotRun') return { message: message || reason }
  return undefined
}

function deletion(pod: V1Pod): PodEnding | undefined {
  if (pod.metadata?.deletionTimestamp === undefined) return undefined
  return { message: 'it was deleted' }
}

/** Whether our container has ended: nothing more can come from it. */
export function isOver(pod: V1Pod): boolean {
  const ours = pod.status?.containerStatuses?.find((c) => c.name === containerName)
  return ours?.state?.terminated !== undefined || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
}

/** The memory limit of our container, as Kubernetes writes it. */
export function memoryLimit(pod: V1Pod): string | undefined {
  return pod.spec?.containers.find((c) => c.name === containerName)?.resources?.limits?.['memory']
}
