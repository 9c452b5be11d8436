import type { ApiEvent, ApiObject, Job, Namespace, Pod, ResourceQuota } from './objects.ts'

/** A kind of object that the API serves. */
export interface Resource<T extends ApiObject = ApiObject> {
  /** Never there: it tells the compiler what its objects are. */
  readonly object?: T
  group: '' | 'batch' | 'authorization.k8s.io'
  plural: string
  kind: string
  namespaced: boolean
  shortNames?: readonly string[]
  categories?: readonly string[]
  verbs: readonly string[]
  /** Each with its verbs. */
  subresources?: Readonly<Record<string, readonly string[]>>
}

const reading = ['get', 'list', 'watch']
const writing = ['create', 'delete', 'deletecollection', 'patch']
const streams = ['create', 'get']

export const pods: Resource<Pod> = {
  group: '',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  verbs: [...writing, ...reading],
  subresources: { attach: streams, exec: streams, log: ['get'] },
}

export const namespaces: Resource<Namespace> = {
  group: '',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'patch', ...reading],
}

export const events: Resource<ApiEvent> = {
  group: '',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
  shortNames: ['ev'],
  verbs: reading,
}

export const jobs: Resource<Job> = {
  group: 'batch',
  plural: 'jobs',
  kind: 'Job',
  namespaced: true,
  categories: ['all'],
  verbs: [...writing, ...reading],
}

export const quotas: Resource<ResourceQuota> = {
  group: '',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
  shortNames: ['quota'],
  verbs: [...writing, ...reading],
}

export const accessReviews: Resource = {
  group: 'authorization.k8s.io',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
  verbs: ['create'],
}

/** All that there is: what is not here answers 404. */
export const resources: readonly Resource[] = [events, namespaces, pods, quotas, jobs, accessReviews]

/** `v1`, `batch/v1`. */
export function apiVersionOf({ group }: Resource): string {
  return group === '' ? 'v1' : `${group}/v1`
}

/** As messages name a resource: `pods`, `jobs.batch`. */
export function qualifiedName({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`
}
