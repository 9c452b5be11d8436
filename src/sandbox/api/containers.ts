import { badRequest, notFound } from '../cluster/errors.ts'
import type { Pod } from '../cluster/objects.ts'
import { pods } from '../cluster/resources.ts'
import type { Call, Cluster } from './call.ts'

/**
 * The container that a log, exec or attach asks for: its only one where none is named.
 * @throws {StatusError} 404, 400
 */
export function containerOf(
  { store }: Cluster,
  { namespace, name = '', query }: Call,
): { pod: Pod; container: string } {
  const pod = store.get<Pod>(pods, { namespace, name })
  if (pod === undefined) throw notFound(pods, name)
  const main = pod.spec.containers.map((each) => each.name)
  const init = pod.spec.initContainers?.map((each) => each.name) ?? []
  const wanted = query.get('container') || undefined
  if (wanted === undefined && main.length > 1) {
    const choice = `choose one of: [${main.join(' ')}]`
    const more = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : ''
    throw badRequest(`a container name must be specified for pod ${name}, ${choice}${more}`)
  }
  const container = wanted ?? main[0] ?? ''
  if (![...main, ...init].includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`)
  return { pod, container }
}

/** Whether a query asks for a stream, or for a tty. */
export function isSet(query: URLSearchParams, name: string): boolean {
  return ['true', '1'].includes(query.get(name) ?? '')
}
