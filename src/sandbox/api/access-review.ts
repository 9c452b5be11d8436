import { decodeFields, isProtobuf, unwrap } from './protobuf.ts'
import { allows, type User } from './users.ts'

interface Wanted {
  namespace?: string
  verb?: string
  group?: string
  resource?: string
  subresource?: string
  name?: string
}

/** Answers "may I?": a SelfSubjectAccessReview, as JSON or as the protobuf that `kubectl auth can-i` sends. */
export function reviewAccess(user: User, body: Buffer): object {
  const spec = isProtobuf(body) ? fromProtobuf(body) : fromJson(body)
  const wanted = spec.resourceAttributes ?? {}
  const { verb = '', group = '', resource = '', subresource, namespace, name } = wanted
  const full = subresource ? `${resource}/${subresource}` : resource
  const allowed = allows(user, {
    verb,
    group,
    resource: full,
    namespace: namespace || undefined,
    name: name || undefined,
  })
  const head = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {} }
  return { ...head, spec, status: { allowed } }
}

interface Spec {
  resourceAttributes?: Wanted
}

function fromJson(body: Buffer): Spec {
  return (JSON.parse(body.toString()) as { spec?: Spec }).spec ?? {}
}

/** By the field numbers of k8s.io/api/authorization/v1/generated.proto. */
function fromProtobuf(body: Buffer): Spec {
  const names = ['', 'namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name']
  const attributes = decodeFields(decodeFields(unwrap(body).get(2)).get(1))
  const entries = [...attributes].map(([number, value]) => [names[number] ?? number, value.toString()])
  return { resourceAttributes: Object.fromEntries(entries) as Wanted }
}
