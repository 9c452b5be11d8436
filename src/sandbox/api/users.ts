import { timingSafeEqual } from 'node:crypto'
import { StatusError } from '../cluster/errors.ts'
import { namespaces } from '../cluster/resources.ts'

/** A rule of a Role; `*` stands for all. */
export interface Rule {
  apiGroups: readonly string[]
  resources: readonly string[]
  verbs: readonly string[]
}

export interface User {
  name: string
  token: string
  /** What it may do, in which namespace; absent: everything. */
  rights?: { namespace: string; rules: readonly Rule[] }
}

/** What somebody wants to do. */
export interface Attributes {
  verb: string
  group: string
  /** With its subresource: `pods/exec`. */
  resource: string
  namespace?: string | undefined
  name?: string | undefined
}

/**
 * Who sends a request.
 * @param impersonated the user that is to be acted as
 * @throws {StatusError} 401, or 403 where impersonation is not allowed
 */
export function authenticate(users: readonly User[], authorization = '', impersonated?: string): User {
  const user = users.find(({ token }) => sameText(authorization, `Bearer ${token}`))
  if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized')
  if (impersonated === undefined) return user
  authorize(user, { verb: 'impersonate', group: '', resource: 'users', name: impersonated })
  const nobody = { name: impersonated, token: '', rights: { namespace: '', rules: [] } }
  return users.find(({ name }) => name === impersonated) ?? nobody
}

/** @throws {StatusError} 403, in the words of RBAC */
export function authorize(user: User, wanted: Attributes): void {
  if (allows(user, wanted)) return
  const { verb, group, resource, namespace, name } = wanted
  const [kind = ''] = resource.split('/')
  const what = `${kind}${group && `.${group}`}${name === undefined ? '' : ` "${name}"`}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const why = `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`
  const details = { ...(name !== undefined && { name }), ...(group && { group }), kind }
  throw new StatusError(403, 'Forbidden', `${what} is forbidden: ${why}`, details)
}

/** Whether RBAC lets somebody do something. */
export function allows({ rights }: User, { verb, group, resource, namespace, name }: Attributes): boolean {
  if (rights === undefined) return true
  const here = resource === namespaces.plural ? (name ?? namespace) : namespace
  if (here !== rights.namespace) return false
  return rights.rules.some((rule) => {
    return covers(rule.apiGroups, group) && covers(rule.resources, resource) && covers(rule.verbs, verb)
  })
}

function covers(list: readonly string[], item: string): boolean {
  return list.includes(item) || list.includes('*')
}

function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}
