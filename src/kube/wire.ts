import type { IncomingMessage } from 'node:http'
import { ApiError } from '../errors.ts'
import { raced } from './abort.ts'
import { readExcerpt } from './body.ts'
import type { Query } from './client.ts'
import type { Connection } from './connection.ts'
import type { Auth, Credentials } from './credentials.ts'
import type { Pace } from './retry.ts'
import { refusalError } from './status.ts'
import { send } from './transport.ts'
import { warningsIn } from './warnings.ts'

/** All that a call to the API server needs; shared by REST calls, watches and WebSockets. */
export interface Wire {
  connection: Connection
  credentials: Credentials
  userAgent: string
  /** Milliseconds that one request may take. */
  requestTimeout: number
  /** Takes what a `Warning:` header says. */
  warn(text: string): void
  pace: Pace
}

/** One try of a request. */
export interface Exchange {
  method: string
  path: string
  query: Query | undefined
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  auth: Auth
  signal: AbortSignal
}

/**
 * Sends a request once; answers with the head of a success, its body unread.
 * @throws {ApiError} for any other answer
 * @throws {TransportError} where there was none
 */
export async function exchange(wire: Wire, request: Exchange): Promise<IncomingMessage> {
  const { connection, userAgent } = wire
  const { auth, method, signal, body } = request
  const response = await send({
    url: apiUrl(connection.server, request.path, request.query),
    method,
    headers: { Accept: 'application/json', 'User-Agent': userAgent, ...request.headers, ...auth.headers },
    body,
    target: connection.options(auth),
    signal,
  })
  for (const text of warningsIn(response.headers['warning'])) wire.warn(text)
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 300) return response
  throw refusalError({ status, headers: response.headers, body: await readExcerpt(response) })
}

/** Runs a try with our credentials; with fresh ones a second time when the server refuses the first. */
export async function authenticated<T>(
  wire: Wire,
  signal: AbortSignal | undefined,
  attempt: (auth: Auth) => Promise<T>,
): Promise<T> {
  const { credentials } = wire
  const auth = await raced(credentials.get(), signal)
  try {
    return await attempt(auth)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || !credentials.refused(auth)) throw error
    const renewed = await raced(credentials.get(), signal)
    // The same credentials would be refused again.
    if (renewed === auth) throw error
    return await attempt(renewed)
  }
}

/** A path below the server, which may have a base path of its own. */
export function apiUrl(server: URL, path: string, query: Query = {}): URL {
  const url = new URL(server)
  url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`
  for (const [name, value] of Object.entries(query)) {
    const values = value === undefined ? [] : [value].flat()
    for (const one of values) url.searchParams.append(name, String(one))
  }
  return url
}
