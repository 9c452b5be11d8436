import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KubeServer } from './kube-server.ts'

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** How a server takes a WebSocket. */
export interface Acceptance {
  /** The subprotocol that it picks; absent: none. */
  protocol?: string | undefined
  /** Frames that it sends in the same packet as the 101. */
  frames?: readonly Buffer[]
  headers?: readonly string[]
}

/** Lets a server answer each upgrade; the handler gets the raw socket. */
export function onUpgrade(server: KubeServer, handle: (request: IncomingMessage, socket: Duplex) => void): void {
  server.http.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const { method = '', url = '', headers } = request
    server.seen.push({ method, url, headers, body: '' })
    socket.on('error', () => {})
    // Node's HTTP server leaves an upgraded connection half open.
    socket.on('end', () => socket.end())
    handle(request, socket)
  })
}

/** Accepts a WebSocket. */
export function accept(
  request: IncomingMessage,
  socket: Duplex,
  { protocol, frames = [], headers = [] }: Acceptance,
): void {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64')
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${key}`,
  ]
  if (protocol !== undefined) head.push(`Sec-WebSocket-Protocol: ${protocol}`)
  socket.write(Buffer.concat([Buffer.from(`${[...head, ...headers].join('\r\n')}\r\n\r\n`), ...frames]))
}

/** A short binary frame as a server sends it. */
export function frame(payload: string): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([Buffer.from([0x82, bytes.length]), bytes])
}

/** Refuses an upgrade with an HTTP answer. */
export function refuse(socket: Duplex, status: string, body: string, headers: readonly string[] = []): void {
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
