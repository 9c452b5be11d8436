import type { ServerResponse } from 'node:http'
import { StatusError } from '../cluster/errors.ts'
import type { ApiObject } from '../cluster/objects.ts'
import { apiVersionOf } from '../cluster/resources.ts'
import type { Change } from '../cluster/store.ts'
import type { Answer, Call, Cluster } from './call.ts'
import { matcherOf, selected, startVersion, tableOf } from './list.ts'

/** How often a watch that allows it is told the current version. */
const bookmarkEvery = 30_000

/** The usual end of a watch that does not say when, in seconds. */
const usualTimeout = 1800

/**
 * Tells the changes of what a query selects, each as a line of JSON.
 * @throws {StatusError} 400, 422, 504; a version that is too old is told in the stream
 */
export function watch(cluster: Cluster, call: Call): Answer {
  const { store } = cluster
  const tell = teller(call)
  const version = startVersion(call, store.version)
  const first = version === undefined ? selected(cluster, call).map((object) => line('ADDED', shown(call, object))) : []
  return {
    send(response) {
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
      for (const text of first) response.write(text)
      try {
        for (const change of store.since(version ?? store.version)) tell(change, response)
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        response.end(line('ERROR', error.status))
        return
      }
      const stop = store.listen((change) => tell(change, response))
      const timers = [...bookmarks(cluster, call, response), end(call, response)]
      response.once('close', () => {
        stop()
        timers.forEach(clearTimeout)
      })
    },
  }
}

/** One that begins to match is ADDED to who watches, one that no longer does is DELETED. */
function teller(call: Call): (change: Change, response: ServerResponse) => void {
  const matches = matcherOf(call)
  return ({ type, resource, object, before }, response) => {
    if (resource !== call.resource) return
    if (call.namespace !== undefined && object.metadata.namespace !== call.namespace) return
    const [is, was] = [type !== 'DELETED' && matches(object), before !== undefined && matches(before)]
    if (!is && !was) return
    response.write(line(is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED', shown(call, object)))
  }
}

function shown(call: Call, object: ApiObject): object {
  if (!call.wantsTable) return object
  return { ...tableOf(call, [object]), metadata: { resourceVersion: object.metadata.resourceVersion } }
}

function bookmarks({ store }: Cluster, { resource, query }: Call, response: ServerResponse): NodeJS.Timeout[] {
  if (query.get('allowWatchBookmarks') !== 'true') return []
  const tell = (): void => {
    const metadata = { resourceVersion: String(store.version), creationTimestamp: null }
    response.write(line('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata }))
  }
  return [setInterval(tell, bookmarkEvery)]
}

function end({ query }: Call, response: ServerResponse): NodeJS.Timeout {
  const seconds = Number(query.get('timeoutSeconds')) || usualTimeout
  return setTimeout(() => response.end(), seconds * 1000)
}

function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`
}
