import { isDeepStrictEqual } from 'node:util'
import { applyPatch, type Operation } from 'rfc6902'
import { mergePatch } from '../../pod/merge-patch.ts'
import { invalid, notFound, StatusError } from '../cluster/errors.ts'
import type { ApiObject, Pod } from '../cluster/objects.ts'
import { pods } from '../cluster/resources.ts'
import type { Call, Cluster } from './call.ts'
import { readBody } from './create.ts'

/**
 * Patches an object: metadata, and of a spec what may change.
 * @throws {StatusError} 404, 409, 415, 422
 */
export function patch({ store }: Cluster, call: Call): ApiObject {
  const { resource, namespace, name = '' } = call
  const found = store.get(resource, { namespace, name })
  if (found === undefined) throw notFound(resource, name)
  const wanted = patched(call, found)
  checkVersion(found, wanted, call)
  if (resource === pods) checkPodSpec(found as Pod, wanted as Pod)
  return changed(store.change(resource, found, (draft) => keep(draft, wanted)))
}

function changed(object: ApiObject | undefined): ApiObject {
  if (object === undefined) throw new StatusError(409, 'Conflict', 'the object has been deleted')
  return object
}

/** A strategic merge differs from a merge in lists only, and those of a spec may not change. */
function patched(call: Call, found: ApiObject): ApiObject {
  const body = () => readBody(call)
  switch (call.contentType.split(';')[0]) {
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return mergePatch(found, body()) as ApiObject
    case 'application/json-patch+json':
      return jsonPatched(found, body() as Operation[], call)
    default:
      throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  }
}

function jsonPatched(found: ApiObject, operations: Operation[], { resource, name = '' }: Call): ApiObject {
  const draft = structuredClone(found)
  const failed = applyPatch(draft, operations).find((error) => error !== null)
  if (failed === undefined) return draft
  const cause = { reason: 'FieldValueInvalid', message: failed.message, field: 'patch' }
  throw invalid(resource.kind, name, [cause])
}

function checkVersion(found: ApiObject, wanted: ApiObject, { resource, name = '' }: Call): void {
  if (wanted.metadata.resourceVersion === found.metadata.resourceVersion) return
  const what = `Operation cannot be fulfilled on ${resource.plural} "${name}"`
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  throw new StatusError(409, 'Conflict', `${what}: ${why}`, { name, kind: resource.plural })
}

function checkPodSpec(found: Pod, wanted: Pod): void {
  const { activeDeadlineSeconds, tolerations } = wanted.spec
  const may = { ...found.spec, activeDeadlineSeconds, tolerations }
  if (isDeepStrictEqual(clean(may), clean(wanted.spec))) return
  const fields =
    '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
  const message = `Forbidden: pod updates may not change fields other than ${fields}`
  throw invalid('Pod', found.metadata.name, [{ reason: 'FieldValueForbidden', message, field: 'spec' }])
}

function clean(value: object): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** What the server alone writes stays. */
function keep(draft: ApiObject, { metadata, spec }: ApiObject): void {
  const { labels, annotations, ownerReferences } = metadata
  const different = !isDeepStrictEqual(draft.spec, spec)
  draft.metadata = JSON.parse(JSON.stringify({ ...draft.metadata, labels, annotations, ownerReferences }))
  if (!different || spec === undefined) return
  draft.spec = spec
  draft.metadata.generation = (draft.metadata.generation ?? 0) + 1
}
