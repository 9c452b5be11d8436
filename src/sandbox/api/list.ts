import { badRequest, notFound, StatusError } from '../cluster/errors.ts'
import type { ApiObject } from '../cluster/objects.ts'
import { apiVersionOf, events, jobs, pods, type Resource } from '../cluster/resources.ts'
import { fieldSelector, labelSelector, type Matcher } from '../cluster/selectors.ts'
import type { Call, Cluster } from './call.ts'
import { type Included, table } from './table.ts'

/** @throws {StatusError} 404 */
export function get({ store }: Cluster, call: Call): object {
  const { resource, namespace, name = '' } = call
  const found = store.get(resource, { namespace, name })
  if (found === undefined) throw notFound(resource, name)
  return call.wantsTable ? tableOf(call, [found]) : found
}

/** The objects that a query selects, as a list or a table. */
export function list(cluster: Cluster, call: Call): object {
  const { store } = cluster
  const items = selected(cluster, call)
  const metadata = { resourceVersion: String(store.version) }
  if (call.wantsTable) return { ...tableOf(call, items), metadata }
  return { kind: `${call.resource.kind}List`, apiVersion: apiVersionOf(call.resource), metadata, items }
}

/** The objects that a query selects. */
export function selected({ store }: Cluster, call: Call): ApiObject[] {
  return store.list(call.resource, call.namespace).filter(matcherOf(call))
}

/**
 * What a query's selectors select.
 * @throws {StatusError} 400
 */
export function matcherOf({ resource, query }: Call): Matcher {
  const labels = labelSelector(query.get('labelSelector') ?? '')
  const fields = fieldSelector(query.get('fieldSelector') ?? '', fieldsOf(resource))
  return (object) => labels(object) && fields(object)
}

/** Objects as the table that the query asks for. */
export function tableOf({ resource, query }: Call, objects: readonly ApiObject[]): object {
  const included = (query.get('includeObject') ?? 'Metadata') as Included
  return table(resource, objects, included, Date.now())
}

/**
 * The version that a watch begins at; undefined for "now, and all that there is".
 * @throws {StatusError} 400, 422, 504
 */
export function startVersion({ query }: Call, current: number): number | undefined {
  if (query.has('sendInitialEvents')) {
    const why = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'
    const message = `ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: ${why}`
    throw new StatusError(422, 'Invalid', message, { kind: 'ListOptions', group: 'meta.k8s.io' })
  }
  const text = query.get('resourceVersion') ?? ''
  if (text === '' || text === '0') return undefined
  if (!/^\d+$/.test(text)) throw badRequest(`invalid resource version "${text}"`)
  if (Number(text) <= current) return Number(text)
  const message = `Timeout: Too large resource version: ${text}, current: ${current}`
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  throw new StatusError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 })
}

function fieldsOf(resource: Resource): string[] {
  const more = new Map<Resource, string[]>([
    [pods, ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName']],
    [events, ['kind', 'name', 'namespace', 'uid', 'fieldPath'].map((field) => `involvedObject.${field}`)],
  ])
  const status = new Map<Resource, string[]>([
    [pods, ['status.phase', 'status.podIP']],
    [events, ['reason', 'type', 'reportingComponent', 'source']],
    [jobs, ['status.successful']],
  ])
  const all = ['metadata.name', 'metadata.namespace', ...(more.get(resource) ?? [])]
  return [...all, ...(status.get(resource) ?? ['status.phase'])]
}
