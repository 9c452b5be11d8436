import type { ServerResponse } from 'node:http'
import { noSuchPath } from '../cluster/errors.ts'
import { type Resource, resources } from '../cluster/resources.ts'
import type { Store } from '../cluster/store.ts'
import type { Kubelet } from '../kubelet/kubelet.ts'
import type { User } from './users.ts'

/** What the API is in front of. */
export interface Cluster {
  store: Store
  kubelet: Kubelet
  users: readonly User[]
  /** The stream protocol of execs. */
  protocol: 'v5' | 'v4'
}

/** Where a request goes. */
export interface Route {
  resource: Resource
  namespace?: string
  name?: string
  subresource?: string
}

/** A request for objects. */
export interface Call extends Route {
  verb: string
  user: User
  query: URLSearchParams
  contentType: string
  /** Whether the client takes a Table. */
  wantsTable: boolean
  body: Buffer
}

/** A JSON answer, or one that writes itself. */
export type Answer = { code: number; body: object } | { send(response: ServerResponse): void | Promise<void> }

/**
 * Reads a path below `/api/v1` or `/apis`.
 * @throws {StatusError} 404
 */
export function routeOf(pathname: string): Route {
  const [, core, group = '', rest = ''] = /^\/(?:(api)|apis\/([^/]+))\/v1\/(.+?)\/?$/.exec(pathname) ?? []
  const parts = rest.split('/').map(decodeURIComponent)
  const namespaced = parts[0] === 'namespaces' && parts.length > 2
  const [plural, name, subresource, ...more] = namespaced ? parts.slice(2) : parts
  const resource = resources.find((each) => each.plural === plural && each.group === (core ? '' : group))
  if (resource === undefined || more.length > 0) throw noSuchPath()
  if (resource.namespaced ? name !== undefined && !namespaced : namespaced) throw noSuchPath()
  if (subresource !== undefined && !(subresource in (resource.subresources ?? {}))) throw noSuchPath()
  return {
    resource,
    ...(namespaced && { namespace: parts[1] ?? '' }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  }
}

/** What a request does, as RBAC names it. */
export function verbOf(method: string, { name }: Route, query: URLSearchParams): string {
  if (method === 'GET' && ['true', '1'].includes(query.get('watch') ?? '')) return 'watch'
  if (method === 'GET') return name === undefined ? 'list' : 'get'
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete'
  return { POST: 'create', PATCH: 'patch', PUT: 'update' }[method] ?? method.toLowerCase()
}
