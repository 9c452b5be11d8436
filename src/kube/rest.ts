import { KuberunError } from '../errors.ts'
import { within } from './abort.ts'
import { readBody } from './body.ts'
import type { ApiRequest } from './client.ts'
import { connectionError } from './connection-error.ts'
import { retrying } from './retry.ts'
import { showServer } from './server-url.ts'
import { TransportError } from './transport.ts'
import { authenticated, exchange, type Wire } from './wire.ts'

/** One REST call with its retries: see `KubeClient.request`. */
export async function callApi<T>(wire: Wire, request: ApiRequest): Promise<T> {
  const { signal, patience, timeout } = request
  signal?.throwIfAborted()
  const attempt = (): Promise<string> => attemptOnce(wire, request)
  try {
    return decode(wire, await retrying({ patience, timeout, pace: wire.pace, signal }, attempt)) as T
  } catch (error) {
    throw error instanceof TransportError ? connectionError(error, wire.connection) : error
  }
}

async function attemptOnce(wire: Wire, request: ApiRequest): Promise<string> {
  const { method, path, query, signal, timeout = wire.requestTimeout } = request
  const body = request.body === undefined ? undefined : JSON.stringify(request.body)
  const headers = body === undefined ? {} : { 'Content-Type': contentType(method) }
  return authenticated(wire, signal, (auth) =>
    within({ milliseconds: Math.min(timeout, wire.requestTimeout), signal }, async (inner) =>
      readBody(await exchange(wire, { method, path, query, headers, body, auth, signal: inner })),
    ),
  )
}

function contentType(method: ApiRequest['method']): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

function decode({ connection }: Wire, body: string): unknown {
  if (body === '') return undefined
  try {
    return JSON.parse(body) as unknown
  } catch (error) {
    const hint = 'a proxy or a login page may answer in its place: look at the cluster’s server in the kubeconfig'
    const message = `the API server at "${showServer(connection.server)}" answered with something other than JSON`
    throw new KuberunError('connection', message, { cause: error, hint })
  }
}
