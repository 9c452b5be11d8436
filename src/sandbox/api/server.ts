import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { noSuchPath, StatusError } from '../cluster/errors.ts'
import { type Answer, type Call, type Cluster, routeOf, verbOf } from './call.ts'
import { discovery } from './discovery.ts'
import { handle } from './handle.ts'
import { openStream, refuseOther } from './stream.ts'
import { authenticate } from './users.ts'

/** How long the API is away when it restarts. */
const restartTime = 1000

/** The API server: HTTPS on this machine. Disposing of it breaks all connections. */
export class ApiServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0
  #closed = false

  private constructor(cluster: Cluster, pair: { cert: string; key: string }) {
    this.#server = createServer(pair, (request, response) => void serve(cluster, request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void upgrade(cluster, request, socket, head)
    })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.once('close', () => this.#sockets.delete(socket)))
    })
    // Watches and logs may be quiet for long.
    this.#server.requestTimeout = 0
  }

  static async start(cluster: Cluster, pair: { cert: string; key: string }): Promise<ApiServer> {
    const server = new ApiServer(cluster, pair)
    await server.#listen()
    return server
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** Goes away for a moment, and comes back at the same address. */
  async restart(): Promise<void> {
    await this.#close()
    await new Promise((resolve) => setTimeout(resolve, restartTime))
    if (!this.#closed) await this.#listen()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#close()
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

async function serve(cluster: Cluster, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Who has gone away needs no answer.
  response.on('error', () => {})
  try {
    const answer = await answerTo(cluster, request)
    if ('send' in answer) await answer.send(response)
    else sendJson(response, answer.code, answer.body)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else sendJson(response, statusOf(error).code, statusOf(error))
  }
}

async function answerTo(cluster: Cluster, request: IncomingMessage): Promise<Answer> {
  const { pathname } = urlOf(request)
  if (/^\/(healthz|livez|readyz)$/.test(pathname)) return { send: (response) => void response.end('ok') }
  const user = authenticated(cluster, request)
  const described = request.method === 'GET' ? discovery(pathname) : undefined
  if (described !== undefined) return { code: 200, body: described }
  const call = callOf(request, user)
  if (isStream(call)) return refuseOther(cluster, call)
  return handle(cluster, { ...call, body: await buffer(request) })
}

async function upgrade(cluster: Cluster, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  // Node's HTTP server leaves an upgraded connection half open.
  socket.on('error', () => {}).on('end', () => socket.end())
  try {
    const call = callOf(request, authenticated(cluster, request))
    if (!isStream(call)) throw noSuchPath()
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') refuseOther(cluster, call)
    await openStream(cluster, call, { request, socket, head })
  } catch (error) {
    const status = statusOf(error)
    const body = JSON.stringify(status)
    const lines = `HTTP/1.1 ${status.code} ${status.reason}\r\nContent-Type: application/json\r\nConnection: close\r\n`
    socket.end(`${lines}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
}

function authenticated({ users }: Cluster, { headers }: IncomingMessage): Call['user'] {
  return authenticate(users, headers.authorization, headers['impersonate-user'] as string | undefined)
}

function callOf(request: IncomingMessage, user: Call['user']): Call {
  const { pathname, searchParams: query } = urlOf(request)
  const { method = 'GET', headers } = request
  const route = routeOf(pathname)
  return {
    ...route,
    verb: verbOf(method, route, query),
    user,
    query,
    contentType: headers['content-type'] ?? 'application/json',
    wantsTable: /as=Table/.test(headers.accept ?? ''),
    body: Buffer.alloc(0),
  }
}

function isStream({ subresource }: Call): boolean {
  return subresource === 'exec' || subresource === 'attach'
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'https://sandbox')
}

/** What is no refusal of ours is a fault of ours. */
function statusOf(error: unknown): StatusError['status'] {
  if (error instanceof StatusError) return error.status
  return new StatusError(500, 'InternalError', `Internal error occurred: ${(error as Error).message}`).status
}

function sendJson(response: ServerResponse, code: number, body: object): void {
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': text.length }).end(text)
}
