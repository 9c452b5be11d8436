import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TlsOptions } from 'node:tls'

/** A request as the server saw it. */
export interface Seen {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

export type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => unknown

/** A real HTTP(S) server on this machine that a test scripts. */
export interface KubeServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly seen: Seen[]
  /** Every connection that was made so far. */
  readonly sockets: Socket[]
  readonly http: http.Server
}

/**
 * Starts a server. An array answers the requests in turn, its last item all further ones; a function answers them all.
 */
export async function startKubeServer(script: Answer | readonly Answer[], tls?: TlsOptions): Promise<KubeServer> {
  const seen: Seen[] = []
  const sockets: Socket[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request
    const one: Seen = { method, url, headers, body: await text(request) }
    seen.push(one)
    const answer = typeof script === 'function' ? script : (script[seen.length - 1] ?? script.at(-1))
    await answer?.(one, response, request)
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  }
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener)
  server.on('connection', (socket: Socket) => sockets.push(socket))
  const port = await listen(server)
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    seen,
    sockets,
    http: server,
    [Symbol.asyncDispose]: () => stop(server, sockets),
  }
}

/** Listens on a free port of this machine. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Ends a server with all its connections. */
export async function stop(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => void server.close(resolve))
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string | string[]> = {}): Answer {
  return (_seen, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

/** Answers with any text. */
export function plain(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return (_seen, response) => void response.writeHead(status, headers).end(body)
}

/** Answers with a `metav1.Status`. */
export function refusal(status: number, reason: string, message: string, more: Record<string, unknown> = {}): Answer {
  return json(status, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message, ...more })
}

/** Breaks the connection instead of answering. */
export const reset: Answer = (_seen, _response, request) => void request.socket.resetAndDestroy()

/** Never answers. */
export const silent: Answer = () => {}

/** Answers a watch with events, one a line, and leaves it open. */
export function events(...list: unknown[]): Answer {
  return (_seen, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.flushHeaders()
    for (const event of list) response.write(typeof event === 'string' ? event : `${JSON.stringify(event)}\n`)
  }
}

/** As {@link events}, then ends the response as a server does whose time is over. */
export function eventsThenEnd(...list: unknown[]): Answer {
  return async (seen, response, request) => {
    await events(...list)(seen, response, request)
    response.end()
  }
}
