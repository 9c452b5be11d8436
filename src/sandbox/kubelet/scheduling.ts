import { recordEvent } from '../cluster/events.ts'
import { type Pod, timestamp } from '../cluster/objects.ts'
import { pods } from '../cluster/resources.ts'
import type { Store } from '../cluster/store.ts'

export interface SchedulingOptions {
  /** The only node there is. */
  node: string
  /** It takes no pod. */
  unschedulable?: true
  stop: AbortSignal
}

const component = 'default-scheduler'
const noHelp =
  'no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'

/** Binds a pod to the node. Where the node does not suit, says so and waits: rejects when it is stopped. */
export async function schedule(
  store: Store,
  pod: Pod,
  { node, unschedulable, stop }: SchedulingOptions,
): Promise<void> {
  const problem = unschedulable ? '1 node(s) were unschedulable' : unsuitable(pod, node)
  if (problem !== undefined) return refuse(store, pod, problem, stop)
  store.change(pods, pod, ({ spec, status }) => {
    spec.nodeName = node
    status.conditions = [condition('True', {})]
  })
  const { namespace, name } = pod.metadata
  recordEvent(store, pod, {
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${node}`,
    component,
  })
}

function unsuitable({ spec }: Pod, node: string): string | undefined {
  const labels: Record<string, string> = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': node }
  const suits = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  return suits ? undefined : "1 node(s) didn't match Pod's node affinity/selector"
}

async function refuse(store: Store, pod: Pod, problem: string, stop: AbortSignal): Promise<never> {
  const message = `0/1 nodes are available: ${problem}. ${noHelp}`
  store.change(pods, pod, ({ status }) => {
    status.conditions = [condition('False', { reason: 'Unschedulable', message })]
  })
  recordEvent(store, pod, { reason: 'FailedScheduling', message, component, warning: true })
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }))
  throw stop.reason
}

function condition(status: 'True' | 'False', why: object) {
  return { type: 'PodScheduled', status, lastProbeTime: null, lastTransitionTime: timestamp(), ...why }
}
