import { randomBytes } from 'node:crypto'
import { alreadyExists, badRequest, invalid, StatusError } from '../cluster/errors.ts'
import { type ApiObject, type Job, timestamp } from '../cluster/objects.ts'
import { apiVersionOf, jobs, namespaces, pods } from '../cluster/resources.ts'
import { admitInto, admitPod } from './admission.ts'
import type { Call, Cluster } from './call.ts'
import { defaultPod, podSpec } from './defaults.ts'
import { decodeFields, isProtobuf, unwrap } from './protobuf.ts'
import { nameCauses, validatePod } from './validation.ts'

/**
 * Creates an object, completed and checked as the API server does it.
 * @throws {StatusError} its refusal
 */
export function create(cluster: Cluster, call: Call): ApiObject {
  const { resource, namespace, query } = call
  const sent = named(call, readBody(call) as Partial<ApiObject>)
  const { name } = sent.metadata
  if (namespace !== undefined) admitInto(cluster, resource, namespace, name)
  const object = completed(cluster, call, sent)
  if (cluster.store.get(resource, { namespace, name })) throw alreadyExists(resource, name)
  if (query.get('dryRun') === 'All') return object
  return cluster.store.add(resource, object)
}

/**
 * The JSON of a request.
 * @throws {StatusError} 400, 415
 */
export function readBody({ body, contentType, resource }: Call): unknown {
  if (resource === namespaces && isProtobuf(body)) return { metadata: { name: namespaceName(body) } }
  if (!/json/.test(contentType)) {
    const types = 'accepted media types include: application/json'
    const why = `the body of the request was in an unknown format - ${types}`
    throw new StatusError(415, 'UnsupportedMediaType', why)
  }
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    const what = `the object provided is unrecognized (must be of type ${resource.kind})`
    throw badRequest(`${what}: couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}

/** `kubectl create namespace` sends protobuf: by k8s.io/api/core/v1/generated.proto. */
function namespaceName(body: Buffer): string {
  const metadata = decodeFields(unwrap(body).get(1))
  return metadata.get(1)?.toString() ?? ''
}

function named({ resource, namespace }: Call, sent: Partial<ApiObject>): ApiObject {
  const { generateName, name, namespace: given = namespace }: Partial<ApiObject['metadata']> = sent.metadata ?? {}
  const generated = generateName && generateName + randomBytes(3).toString('hex').slice(1)
  if (given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const metadata = { ...sent.metadata, name: name ?? generated ?? '', ...(namespace !== undefined && { namespace }) }
  const { creationTimestamp: _, ...clean } = metadata
  return { ...sent, kind: resource.kind, apiVersion: apiVersionOf(resource), metadata: clean as ApiObject['metadata'] }
}

function completed(cluster: Cluster, { resource }: Call, sent: ApiObject): ApiObject {
  if (resource === pods) {
    const pod = defaultPod({ ...sent, metadata: { ...sent.metadata, generation: 1 } })
    validatePod(pod)
    admitPod(cluster, pod)
    return pod
  }
  const causes = nameCauses(sent.metadata.name)
  if (causes.length > 0) throw invalid(sent.kind, sent.metadata.name, causes)
  if (resource === jobs) return defaultJob(sent as Job)
  if (resource !== namespaces) return sent
  const labels = { 'kubernetes.io/metadata.name': sent.metadata.name, ...sent.metadata.labels }
  return { ...sent, metadata: { ...sent.metadata, labels }, spec: {}, status: { phase: 'Active' } }
}

function defaultJob(sent: Job): Job {
  if (sent.spec?.parallelism !== 0) {
    const message = 'Forbidden: the sandbox starts no pods for Jobs: it must be 0'
    const cause = { reason: 'FieldValueForbidden', message, field: 'spec.parallelism' }
    throw invalid('Job', sent.metadata.name, [cause])
  }
  const template = { ...sent.spec.template, spec: podSpec(sent.spec.template.spec) }
  const spec = { backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, ...sent.spec, template }
  const metadata = { ...sent.metadata, generation: 1 }
  return { ...sent, metadata, spec, status: { startTime: timestamp(), ready: 0 } }
}
