import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { type ApiError, KuberunError } from '../errors.ts'
import { TooSlow } from './abort.ts'
import { readExcerpt } from './body.ts'
import type { ConnectRequest } from './client.ts'
import { connectionError } from './connection-error.ts'
import type { Auth } from './credentials.ts'
import { refusalError } from './status.ts'
import { isStale, TransportError, watchProxy } from './transport.ts'
import { apiUrl, authenticated, type Wire } from './wire.ts'

const longestHandshake = 30_000
// Larger than any frame of Kubernetes (32 KiB), small enough that a wrong length cannot take all memory.
const maxPayload = 32 * 1024 * 1024

/** Opens a WebSocket: see `KubeClient.connect`. */
export async function connectSocket(wire: Wire, request: ConnectRequest): Promise<WebSocket> {
  request.signal.throwIfAborted()
  try {
    return await authenticated(wire, request.signal, (auth) => freshly(() => handshake(wire, request, auth)))
  } catch (error) {
    request.signal.throwIfAborted()
    throw error instanceof TransportError ? connectionError(error, wire.connection) : error
  }
}

/**
 * A handshake that was lost to an idle connection that the server had closed is no handshake: once more on another one.
 * Nothing has run: a server answers the handshake before it starts a command.
 */
async function freshly<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransportError) || !error.stale) throw error
    }
  }
}

async function handshake(wire: Wire, request: ConnectRequest, auth: Auth): Promise<WebSocket> {
  const { path, query, protocols, signal } = request
  const { connection, userAgent } = wire
  signal.throwIfAborted()
  const timeout = Math.min(longestHandshake, wire.requestTimeout)
  let req: ClientRequest | undefined
  let refusal: ReturnType<typeof watchProxy> | undefined
  const socket = new WebSocket(apiUrl(connection.server, path, query), [...protocols], {
    ...connection.options(auth),
    headers: { 'User-Agent': userAgent, ...auth.headers },
    handshakeTimeout: timeout,
    maxPayload,
    followRedirects: false,
    // No Kubernetes server negotiates it; a proxy that does would only burn time.
    perMessageDeflate: false,
    skipUTF8Validation: true,
    // The mask protects old proxies that see plain text from being fooled by it. Under TLS nobody sees it, and a mask of
    // zeros saves a pass over every byte that we send.
    ...(connection.server.protocol === 'https:' ? { generateMask: () => {} } : {}),
    finishRequest: (created) => {
      req = created
      refusal = watchProxy(created)
      created.end()
    },
  })
  const stop = (): void => socket.terminate()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await settled(socket, {
      timeout,
      isStale: (error) => req !== undefined && isStale(req, error),
      refusal: () => refusal?.(),
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

interface Clues {
  /** Milliseconds that the handshake may take. */
  timeout: number
  isStale(error: NodeJS.ErrnoException): boolean
  refusal(): Error | undefined
}

function settled(socket: WebSocket, clues: Clues): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(handshakeError(error, clues))
    const onResponse = (req: ClientRequest, response: IncomingMessage): void => {
      const refusal = clues.refusal()
      const told = refusal === undefined ? answered(response) : Promise.resolve(new TransportError(refusal))
      void told.then(reject, reject).finally(() => req.destroy())
    }
    socket.on('error', onError)
    socket.once('unexpected-response', onResponse)
    socket.once('open', () => {
      // In the same turn in which it opened: no message can have been emitted yet.
      socket.pause()
      socket.off('error', onError)
      socket.off('unexpected-response', onResponse)
      resolve(socket)
    })
  })
}

async function answered(response: IncomingMessage): Promise<ApiError> {
  const status = response.statusCode ?? 0
  return refusalError({ status, headers: response.headers, body: await readExcerpt(response) })
}

function handshakeError(error: Error, clues: Clues): Error {
  const { message } = error
  if (/subprotocol|^Invalid (Upgrade|Sec-WebSocket)|Sec-WebSocket-Extensions/.test(message)) {
    const hint =
      'a proxy in front of the API server strips or changes Sec-WebSocket-Protocol: it must let WebSockets pass'
    return new KuberunError('stream', `the WebSocket handshake failed: ${lowerFirst(message)}`, { cause: error, hint })
  }
  if (message === 'Opening handshake has timed out') return new TooSlow(clues.timeout)
  return new TransportError(error, clues.isStale(error))
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
