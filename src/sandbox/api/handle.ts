import { type DeleteOptions, deleteObject } from '../cluster/deletion.ts'
import { noSuchMethod } from '../cluster/errors.ts'
import { accessReviews } from '../cluster/resources.ts'
import { reviewAccess } from './access-review.ts'
import type { Answer, Call, Cluster } from './call.ts'
import { create } from './create.ts'
import { get, list, selected } from './list.ts'
import { logs } from './logs.ts'
import { patch } from './patch.ts'
import { authorize } from './users.ts'
import { watch } from './watch.ts'

/**
 * Answers a request for objects; not those for streams.
 * @throws {StatusError} the refusal
 */
export function handle(cluster: Cluster, call: Call): Answer {
  const { resource, subresource, verb } = call
  const { verbs } = resource
  if (resource === accessReviews && verb === 'create') return ok(reviewAccess(call.user, call.body), 201)
  authorizeCall(call)
  if (subresource === 'log' && verb === 'get') return logs(cluster, call)
  if (subresource !== undefined || !verbs.includes(verb)) throw noSuchMethod()
  switch (verb) {
    case 'get':
      return ok(get(cluster, call))
    case 'list':
      return ok(list(cluster, call))
    case 'watch':
      return watch(cluster, call)
    case 'create':
      return ok(create(cluster, call), 201)
    case 'patch':
      return ok(patch(cluster, call))
    case 'delete':
      return ok(deleteObject(cluster.store, resource, keyOf(call), deleteOptions(call)))
    default:
      return ok(deleteAll(cluster, call))
  }
}

/** @throws {StatusError} 403 */
export function authorizeCall({ resource, subresource, verb, user, namespace, name }: Call): void {
  const full = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`
  authorize(user, { verb, group: resource.group, resource: full, namespace, name })
}

function ok(body: object, code = 200): Answer {
  return { code, body }
}

function keyOf({ namespace, name = '' }: Call) {
  return { namespace, name }
}

/** In the body or, as with the older clients, in the query. */
function deleteOptions({ body, query }: Call): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  return {
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(body.length > 0 && (JSON.parse(body.toString()) as DeleteOptions)),
  }
}

function deleteAll(cluster: Cluster, call: Call): object {
  const found = selected(cluster, call)
  const items = found.map(({ metadata }) => deleteObject(cluster.store, call.resource, metadata, deleteOptions(call)))
  return { ...list(cluster, { ...call, wantsTable: false }), items }
}
