import { isDeepStrictEqual } from 'node:util'
import type { V1Container } from '@kubernetes/client-node'
import type { Condition, ContainerState, ContainerStatus, Pod, PodStatus } from '../cluster/objects.ts'

/** What the kubelet knows of a pod on its node. */
export interface PodFacts {
  startTime: string
  hostIP: string
  /** Once its network and volumes are there. */
  podIP?: string
  states: ReadonlyMap<V1Container, ContainerState>
  /** Why the kubelet ended it. */
  failure?: { reason: string; message: string }
  now: string
}

/** A pod's status as a kubelet writes it. Pure. */
export function podStatus(pod: Pod, facts: PodFacts): PodStatus {
  const { startTime, hostIP, podIP, failure, states } = facts
  const { initContainers, containers } = pod.spec
  const init = initContainers?.map((container) => statusOf(pod, container, { states, isInit: true })) ?? []
  const main = containers.map((container) => statusOf(pod, container, { states, isInit: false }))
  const phase = phaseOf(init, main, failure !== undefined)
  return {
    phase,
    ...failure,
    conditions: conditions(pod, { init, main, phase, facts }),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP !== undefined && { podIP, podIPs: [{ ip: podIP }] }),
    startTime,
    ...(initContainers && { initContainerStatuses: init }),
    containerStatuses: main,
    ...(pod.status.qosClass !== undefined && { qosClass: pod.status.qosClass }),
  }
}

/** As a runtime names a container to the world. */
export function containerID({ metadata }: Pod, name: string): string {
  return `sandbox://${metadata.uid}.${name}`
}

/** One that has ended well is ready where others wait for it, and not where it was the pod's work. */
function statusOf(
  pod: Pod,
  container: V1Container,
  { states, isInit }: { states: PodFacts['states']; isInit: boolean },
): ContainerStatus {
  const state = states.get(container) ?? { waiting: { reason: 'PodInitializing' } }
  const image = container.image ?? ''
  const made = state.running !== undefined || state.terminated !== undefined
  const running = state.running !== undefined
  return {
    name: container.name,
    state,
    lastState: {},
    ready: running || (isInit && state.terminated?.exitCode === 0),
    restartCount: 0,
    image,
    imageID: made ? `sandbox/${image}` : '',
    ...(made && { containerID: containerID(pod, container.name) }),
    started: running,
  }
}

function phaseOf(init: ContainerStatus[], main: ContainerStatus[], failed: boolean): PodStatus['phase'] {
  if (main.some(({ state }) => state.running)) return 'Running'
  if (failed || init.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0)) return 'Failed'
  if (main.some(({ state }) => state.waiting)) return 'Pending'
  return main.every(({ state }) => state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed'
}

interface Summary {
  init: ContainerStatus[]
  main: ContainerStatus[]
  phase: PodStatus['phase']
  facts: PodFacts
}

function conditions(pod: Pod, { init, main, phase, facts }: Summary): Condition[] {
  const incomplete = init.filter(({ state }) => state.terminated?.exitCode !== 0)
  const unready = main.filter(({ state }) => state.running === undefined)
  const over = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined
  const notReady = over
    ? { reason: over }
    : { reason: 'ContainersNotReady', message: `containers with unready status: ${names(unready)}` }
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${names(incomplete)}`,
  }
  const ready = unready.length === 0 ? {} : notReady
  const all: [string, boolean, object][] = [
    ['PodReadyToStartContainers', facts.podIP !== undefined && !over, {}],
    ['Initialized', incomplete.length === 0, incomplete.length === 0 ? {} : notInitialized],
    ['Ready', unready.length === 0, ready],
    ['ContainersReady', unready.length === 0, ready],
    ['PodScheduled', true, {}],
  ]
  return all.map(([type, isTrue, why]) =>
    condition(pod, { type, status: isTrue ? 'True' : 'False', ...why }, facts.now),
  )
}

/** The time of a condition is that of its last change. */
function condition(pod: Pod, wanted: Pick<Condition, 'type' | 'status'>, now: string): Condition {
  const before = pod.status.conditions?.find(({ type }) => type === wanted.type)
  const same = before !== undefined && isDeepStrictEqual(before.status, wanted.status)
  return { lastProbeTime: null, lastTransitionTime: same ? before.lastTransitionTime : now, ...wanted }
}

function names(statuses: ContainerStatus[]): string {
  return `[${statuses.map(({ name }) => name).join(' ')}]`
}
