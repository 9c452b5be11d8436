import http from 'node:http'
import net, { type Socket } from 'node:net'
import { listen, stop } from './kube-server.ts'

/** A proxy on this machine, and what it was asked to connect to. */
export interface Proxy extends AsyncDisposable {
  readonly url: string
  readonly targets: string[]
  readonly headers: http.IncomingHttpHeaders[]
}

/** An HTTP proxy that knows CONNECT; with a refusal it answers every CONNECT with that status line. */
export async function startHttpProxy(refusal?: string): Promise<Proxy> {
  const [targets, headers, sockets]: [string[], http.IncomingHttpHeaders[], Socket[]] = [[], [], []]
  const server = http.createServer()
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('connect', (request, socket: Socket) => {
    targets.push(request.url ?? '')
    headers.push(request.headers)
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    join(socket, net.connect(Number(port), hostname), 'HTTP/1.1 200 Connection established\r\n\r\n')
  })
  const port = await listen(server)
  return { url: `http://127.0.0.1:${port}`, targets, headers, [Symbol.asyncDispose]: () => stop(server, sockets) }
}

/** A SOCKS5 proxy without login: RFC 1928, as much of it as a client that connects by address needs. */
export async function startSocksProxy(): Promise<Proxy> {
  const [targets, sockets]: [string[], Socket[]] = [[], []]
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]))
      socket.once('data', (request: Buffer) => {
        const host = [...request.subarray(4, 8)].join('.')
        const port = request.readUInt16BE(8)
        targets.push(`${host}:${port}`)
        join(socket, net.connect(port, host), Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
      })
    })
  })
  const port = await listen(server)
  return { url: `socks5://127.0.0.1:${port}`, targets, headers: [], [Symbol.asyncDispose]: () => stop(server, sockets) }
}

function join(client: Socket, upstream: Socket, greeting: string | Buffer): void {
  upstream.once('connect', () => {
    client.write(greeting)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}
