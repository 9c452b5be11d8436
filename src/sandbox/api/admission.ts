import { badRequest, forbidden, notFound } from '../cluster/errors.ts'
import type { Pod } from '../cluster/objects.ts'
import { namespaces, pods, quotas, type Resource } from '../cluster/resources.ts'
import { faultAnnotation, readFaults } from '../kubelet/faults.ts'
import type { Cluster } from './call.ts'
import { restrictedViolations } from './pod-security.ts'
import { quotaProblem } from './quota.ts'

/** @throws {StatusError} 404 or 403: the namespace takes nothing new */
export function admitInto({ store }: Cluster, resource: Resource, namespace: string, name: string): void {
  const found = store.get(namespaces, { name: namespace })
  if (found === undefined) throw notFound(namespaces, namespace)
  if (found.metadata.deletionTimestamp === undefined) return
  const message = `namespace ${namespace} is being terminated`
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  throw forbidden(resource, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }])
}

/**
 * What Kubernetes' admission controllers say of a pod.
 * @throws {StatusError} 403
 */
export function admitPod({ store }: Cluster, pod: Pod): void {
  const { name, namespace = '', annotations } = pod.metadata
  checkFaults(annotations?.[faultAnnotation])
  const account = pod.spec.serviceAccountName
  if (account !== 'default') {
    const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`
    throw forbidden(pods, name, why)
  }
  const level = store.get(namespaces, { name: namespace })?.metadata.labels?.['pod-security.kubernetes.io/enforce']
  const violations = level === 'restricted' ? restrictedViolations(pod) : []
  if (violations.length > 0) {
    throw forbidden(pods, name, `violates PodSecurity "restricted:latest": ${violations.join(', ')}`)
  }
  for (const quota of store.list(quotas, namespace)) {
    const problem = quotaProblem(quota, pod, store.list(pods, namespace))
    if (problem !== undefined) throw forbidden(pods, name, problem)
  }
}

/** The sandbox's own. */
function checkFaults(text = ''): void {
  try {
    readFaults(text)
  } catch (error) {
    throw badRequest(`annotation "${faultAnnotation}": ${(error as Error).message}`)
  }
}
