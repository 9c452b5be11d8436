import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node'

/** What a test says of a pod; the rest is as the API server fills it in. */
export interface PodSketch {
  image?: string
  status?: V1PodStatus
  /** Of our container. */
  state?: V1ContainerState
  lastState?: V1ContainerState
  /** Of the init containers, which are called i0, i1 … */
  init?: V1ContainerState[]
  /** Of others beside ours. */
  sidecars?: V1ContainerState[]
  spec?: Partial<NonNullable<V1Pod['spec']>>
  deletionTimestamp?: Date
  limit?: string
}

/** A pod named "p" on a node, in the namespace "dev", as the watch shows it. */
export function podWith(sketch: PodSketch = {}): V1Pod {
  const {
    image = 'alpine:3.20',
    state,
    lastState,
    init = [],
    sidecars = [],
    status,
    spec,
    deletionTimestamp,
    limit,
  } = sketch
  const named = (prefix: string) => (one: V1ContainerState, index: number) => statusOf(`${prefix}${index}`, one)
  return {
    metadata: { name: 'p', namespace: 'dev', ...(deletionTimestamp && { deletionTimestamp }) },
    spec: {
      nodeName: 'node-1',
      containers: [
        { name: 'kuberun', image, resources: limit === undefined ? {} : { limits: { memory: limit } } },
        ...sidecars.map((_, index) => ({ name: `s${index}`, image: 'side' })),
      ],
      ...(init.length > 0 && { initContainers: init.map((_, index) => ({ name: `i${index}`, image: 'init' })) }),
      ...spec,
    },
    status: {
      phase: 'Pending',
      ...status,
      initContainerStatuses: init.map(named('i')),
      containerStatuses: [
        ...(state ? [{ ...statusOf('kuberun', state), ...(lastState && { lastState }) }] : []),
        ...sidecars.map(named('s')),
      ],
    },
  }
}

function statusOf(name: string, state: V1ContainerState) {
  return { name, image: 'docker.io/library/x', imageID: '', ready: false, restartCount: 0, state }
}

export const running: V1ContainerState = { running: { startedAt: new Date(0) } }

export function waiting(reason: string, message?: string): V1ContainerState {
  return { waiting: { reason, ...(message !== undefined && { message }) } }
}

export function terminated(exitCode: number, reason: string, message?: string): V1ContainerState {
  return { terminated: { exitCode, reason, ...(message !== undefined && { message }) } }
}

/** What a runtime says of an image without a shell: containerd's words. */
export const noShellMessage =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown'
