import type { V1PodSpec } from '@kubernetes/client-node'

/** An object's metadata as JSON has it: times are RFC 3339 texts. */
export interface Metadata {
  name: string
  namespace?: string
  generateName?: string
  uid: string
  resourceVersion: string
  generation?: number
  creationTimestamp: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[]
}

/** What the API stores. */
export interface ApiObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec?: object
  status?: object
}

export interface Pod extends ApiObject {
  spec: V1PodSpec
  status: PodStatus
}

export interface PodStatus {
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  reason?: string
  message?: string
  conditions?: Condition[]
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
  qosClass?: string
}

export interface Condition {
  type: string
  status: 'True' | 'False'
  lastProbeTime: string | null
  lastTransitionTime: string
  reason?: string
  message?: string
}

/** Exactly one of them is there. */
export interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: string }
  terminated?: {
    exitCode: number
    reason: string
    message?: string
    startedAt: string
    finishedAt: string
    containerID: string
  }
}

export interface ContainerStatus {
  name: string
  state: ContainerState
  lastState: object
  ready: boolean
  started: boolean
  restartCount: 0
  image: string
  imageID: string
  containerID?: string
}

export interface Namespace extends ApiObject {
  status: { phase: 'Active' | 'Terminating' }
}

export interface Job extends ApiObject {
  spec: {
    parallelism?: number
    activeDeadlineSeconds?: number
    ttlSecondsAfterFinished?: number
    template: { spec: V1PodSpec; metadata?: object }
    completions?: number
  }
  status: { startTime?: string; conditions?: Condition[]; ready?: number }
}

export interface ResourceQuota extends ApiObject {
  /** `pods`, `limits.memory`, `requests.cpu` and their like, as quantities. */
  spec: { hard: Readonly<Record<string, string>> }
}

export interface ApiEvent extends ApiObject {
  involvedObject: { kind: string; namespace: string; name: string; uid: string; fieldPath?: string }
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  count: number
  firstTimestamp: string
  lastTimestamp: string
  source: { component: string; host?: string }
}

/** A time as Kubernetes writes it: in whole seconds. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
