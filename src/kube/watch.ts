import type { IncomingMessage } from 'node:http'
import { ApiError } from '../errors.ts'
import { within } from './abort.ts'
import type { Query, WatchEvent, WatchRequest } from './client.ts'
import { connectionError } from './connection-error.ts'
import { heard } from './heard.ts'
import { type Identified, type KnownObjects, knownObjects } from './known.ts'
import { lines } from './lines.ts'
import { callApi } from './rest.ts'
import { backoff, canMend, pause } from './retry.ts'
import { type Status, statusError } from './status.ts'
import { TransportError } from './transport.ts'
import { authenticated, exchange, type Wire } from './wire.ts'

/** What a watch carries from one connection to the next. */
interface Progress<T> {
  resourceVersion: string
  known: KnownObjects<T>
  /** How often in a row a connection ended without an event. */
  failures: number
}

type ServerEvent<T> = WatchEvent<T> | { type: 'BOOKMARK'; object: T } | { type: 'ERROR'; object: Status }

// Beyond the time after which the server itself ends a watch.
const silenceMargin = 30_000

/** The events of a collection, over as many connections as it takes: see `KubeClient.watch`. */
export async function* watchEvents<T>(wire: Wire, request: WatchRequest<T>): AsyncGenerator<WatchEvent<T>, void> {
  const { signal, resourceVersion, known = [] } = request
  const progress: Progress<T> = { resourceVersion, known: knownObjects(known), failures: 0 }
  try {
    while (!signal.aborted) {
      const ending = yield* oneConnection(wire, request, progress)
      if (signal.aborted) return
      await recover(wire, progress, ending, signal)
      if (isGone(ending)) yield* relisted(wire, request, progress)
    }
  } catch (error) {
    // Whoever ended the watch need not be told that it ended.
    if (!signal.aborted) throw error
  }
}

/** Tells events until the connection ends; answers with what ended it, or with nothing when the server closed it. */
async function* oneConnection<T>(
  wire: Wire,
  request: WatchRequest<T>,
  progress: Progress<T>,
): AsyncGenerator<WatchEvent<T>, unknown> {
  // Spread, so that the watches of many clients do not end together.
  const timeoutSeconds = 240 + Math.floor(wire.pace.random() * 240)
  const silence = timeoutSeconds * 1000 + silenceMargin
  progress.failures++
  try {
    const response = await open(wire, request, { timeoutSeconds, resourceVersion: progress.resourceVersion })
    for await (const line of lines(heard(response, { silence, signal: request.signal }))) {
      const event = parse<T>(line)
      if (event.type === 'ERROR') throw statusError(event.object)
      take(event, progress)
      if (event.type !== 'BOOKMARK') yield event
      if (request.signal.aborted) return undefined
    }
    return undefined
  } catch (error) {
    return error
  }
}

async function open<T>(wire: Wire, request: WatchRequest<T>, watch: Query): Promise<IncomingMessage> {
  const { path, signal } = request
  const query = { ...request.query, watch: true, allowWatchBookmarks: true, ...watch }
  return authenticated(wire, signal, (auth) =>
    within({ milliseconds: wire.requestTimeout, signal }, (inner) =>
      exchange(wire, { method: 'GET', path, query, headers: {}, auth, signal: inner }),
    ),
  )
}

function parse<T>(line: string): ServerEvent<T> {
  try {
    const event = JSON.parse(line) as ServerEvent<T> | null
    if (typeof event?.object === 'object' && event.object !== null) return event
  } catch (error) {
    throw new TransportError(error)
  }
  throw new TransportError(new Error('a line of a watch is no event'))
}

function take<T>(event: Exclude<ServerEvent<T>, { type: 'ERROR' }>, progress: Progress<T>): void {
  const version = (event.object as Identified).metadata?.resourceVersion
  if (version !== undefined) progress.resourceVersion = version
  if (event.type !== 'BOOKMARK') progress.known.note(event)
  progress.failures = 0
}

/** Waits before the next connection, if there may be one. */
async function recover<T>(wire: Wire, progress: Progress<T>, ending: unknown, signal: AbortSignal): Promise<void> {
  const { pace, connection } = wire
  if (ending !== undefined && !isGone(ending) && !canMend(ending)) {
    throw ending instanceof TransportError ? connectionError(ending, connection) : ending
  }
  const asked = ending instanceof ApiError ? ending.failure.retryAfter : undefined
  // One that told events and was closed is continued at once; one that was closed at once must not make a busy loop.
  await pause(asked ?? (progress.failures === 0 ? 0 : backoff(progress.failures, pace)), pace, signal)
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')
}

/** The version is too old to continue from: what happened meanwhile is told from a list. */
async function* relisted<T>(
  wire: Wire,
  { path, query, signal }: WatchRequest<T>,
  progress: Progress<T>,
): AsyncGenerator<WatchEvent<T>, void> {
  const patience = Number.POSITIVE_INFINITY
  const list = await callApi<List<T>>(wire, { method: 'GET', path, ...(query && { query }), patience, signal })
  progress.resourceVersion = list.metadata?.resourceVersion ?? ''
  yield* progress.known.differences(list.items ?? [])
}

interface List<T> {
  metadata?: { resourceVersion?: string }
  items?: T[]
}
