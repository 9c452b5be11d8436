import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import type { Duplex } from 'node:stream'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import { ApiError } from '../../src/errors.ts'
import type { ConnectRequest } from '../../src/kube/client.ts'
import { type Authority, base64, createAuthority, type Pair } from '../support/kube-certificates.ts'
import { clientOf, quickPace } from '../support/kube-home.ts'
import { startHttpProxy } from '../support/kube-proxy.ts'
import { json, startKubeServer } from '../support/kube-server.ts'
import { accept, frame, onUpgrade, refuse } from '../support/kube-socket.ts'

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
let ca: Authority
let certificate: Pair
before(async () => {
  ca = await createAuthority()
  certificate = await ca.sign('api', 'IP:127.0.0.1')
})
after(() => ca[Symbol.asyncDispose]())

function exec(signal = new AbortController().signal): ConnectRequest {
  return {
    path: '/api/v1/namespaces/dev/pods/x/exec',
    query: { command: ['sh', '-c', 'a b'], stdin: true },
    protocols,
    signal,
  }
}

test('a handshake carries exactly the protocols asked for, the query, and who we are', async () => {
  await using server = await startKubeServer([])
  onUpgrade(server, (request, socket) => accept(request, socket, { protocol: protocols[1] }))
  await using home = await clientOf(`${server.url}/base`, { user: { token: 'x', as: 'boss' } })
  const socket = await home.client.connect(exec())
  assert.equal(socket.protocol, protocols[1])
  assert.equal(socket.isPaused, true)
  const [seen] = server.seen
  assert.equal(seen?.url, '/base/api/v1/namespaces/dev/pods/x/exec?command=sh&command=-c&command=a+b&stdin=true')
  assert.equal(seen?.headers['sec-websocket-protocol'], protocols.join(','))
  assert.equal(seen?.headers['sec-websocket-extensions'], undefined)
  assert.equal(seen?.headers.authorization, 'Bearer x')
  assert.equal(seen?.headers['impersonate-user'], 'boss')
  assert.match(seen?.headers['user-agent'] ?? '', /^kuberun\//)
  socket.terminate()
})

test('a frame that comes in the same packet as the 101 is not lost', async () => {
  await using server = await startKubeServer([])
  const frames = [frame('early'), frame('second')]
  onUpgrade(server, (request, socket) => accept(request, socket, { protocol: protocols[0], frames }))
  await using home = await clientOf(server.url)
  const socket = await home.client.connect(exec())
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual(await messages(socket, 2), ['early', 'second'])
})

function messages(socket: WebSocket, count: number): Promise<string[]> {
  const told: string[] = []
  return new Promise((resolve) => {
    socket.on('message', (data: Buffer) => {
      told.push(data.toString())
      if (told.length < count) return
      socket.terminate()
      resolve(told)
    })
    socket.resume()
  })
}

const status = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message })
const refusals: [what: string, line: string, body: string, kubernetes: boolean, message: RegExp][] = [
  ['a Status', '403 Forbidden', status(403, 'Forbidden', 'pods "x" is forbidden'), true, /^pods "x" is forbidden$/],
  ['a 403 that is none', '403 Forbidden', '', false, /^the server answered 403 Forbidden$/],
  ['a page', '502 Bad Gateway', '<html><title>down</title></html>', false, /502 Bad Gateway: down$/],
  ['a redirect', '302 Found', '', false, /redirect \(302 Found\)/],
  ['a success that is no upgrade', '200 OK', 'hello', false, /200 OK: hello$/],
  ['a huge page', '400 Bad Request', 'x'.repeat(3_000_000), false, /400 Bad Request: x{300}$/],
]
for (const [what, line, body, fromKubernetes, message] of refusals) {
  test(`a handshake refused by ${what} is told like a refused request`, async () => {
    await using server = await startKubeServer([])
    onUpgrade(server, (_request, socket) => refuse(socket, line, body, ['Location: https://x']))
    await using home = await clientOf(server.url)
    const error = await home.client.connect(exec()).catch((e: unknown) => e)
    assert.ok(error instanceof ApiError)
    assert.match(error.message, message)
    assert.equal(error.failure.fromKubernetes, fromKubernetes)
    if (!fromKubernetes) assert.match(error.hint ?? '', /prox/)
  })
}

const violations: [what: string, protocol: string | undefined, headers: string[]][] = [
  ['picks no subprotocol', undefined, []],
  ['picks another subprotocol', 'channel.k8s.io', []],
  ['compresses unasked', protocols[0], ['Sec-WebSocket-Extensions: permessage-deflate']],
]
for (const [what, protocol, headers] of violations) {
  test(`a server that ${what} is told as something between`, async () => {
    await using server = await startKubeServer([])
    onUpgrade(server, (request, socket) => accept(request, socket, { protocol, headers }))
    await using home = await clientOf(server.url)
    await assert.rejects(home.client.connect(exec()), { code: 'stream', hint: /a proxy in front of the API server/ })
  })
}

test('a refused token is refreshed once', async () => {
  await using server = await startKubeServer([])
  onUpgrade(server, (request, socket) => {
    if (request.headers.authorization === 'Bearer t2') accept(request, socket, { protocol: protocols[0] })
    else refuse(socket, '401 Unauthorized', status(401, 'Unauthorized', 'Unauthorized'))
  })
  const apiVersion = 'client.authentication.k8s.io/v1'
  const script = `cd "$0"; echo x >> n; printf '{"kind":"ExecCredential","apiVersion":"${apiVersion}","status":{"token":"t%s"}}' $(wc -l < n)`
  await using other = await clientOf(server.url)
  const exec1 = { apiVersion, command: 'sh', args: ['-c', script, other.folder.path], interactiveMode: 'Never' }
  await using home = await clientOf(server.url, { user: { exec: exec1 } })
  const socket = await home.client.connect(exec())
  socket.terminate()
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ['Bearer t1', 'Bearer t2'],
  )
})

test('a handshake is not lost to an idle connection that the server closed', async () => {
  await using server = await startKubeServer(json(200, {}))
  onUpgrade(server, (request, socket) => accept(request, socket, { protocol: protocols[0] }))
  await using home = await clientOf(server.url, { pace: quickPace() })
  await home.client.request({ method: 'GET', path: '/api' })
  const [idle] = server.sockets
  idle?.removeAllListeners('data')
  idle?.once('data', () => idle.resetAndDestroy())
  const socket = await home.client.connect(exec())
  socket.terminate()
  assert.equal(server.sockets.length, 2)
})

test('over TLS the handshake uses the connection of the requests, and frames are not masked by work', async () => {
  await using server = await startKubeServer(json(200, {}), certificate)
  const received = new Promise<Buffer>((resolve) => {
    onUpgrade(server, (request, socket) => {
      accept(request, socket, { protocol: protocols[0] })
      socket.once('data', resolve)
    })
  })
  await using home = await clientOf(server.url, { cluster: { 'certificate-authority-data': base64(ca.cert) } })
  await home.client.request({ method: 'GET', path: '/api' })
  const socket = await home.client.connect(exec())
  socket.send('plain')
  // Masked by four zeros, the payload is readable.
  assert.deepEqual((await received).subarray(2), Buffer.from('\0\0\0\0plain'))
  assert.equal(server.sockets.length, 1)
  socket.terminate()
})

test('without TLS frames are masked for real', async () => {
  await using server = await startKubeServer([])
  const received = new Promise<Buffer>((resolve) => {
    onUpgrade(server, (request, socket) => {
      accept(request, socket, { protocol: protocols[0] })
      socket.once('data', resolve)
    })
  })
  await using home = await clientOf(server.url)
  const socket = await home.client.connect(exec())
  socket.send('plain')
  assert.notDeepEqual((await received).subarray(2, 6), Buffer.alloc(4))
  socket.terminate()
})

test('through a proxy a WebSocket opens over TLS', async () => {
  await using server = await startKubeServer([], certificate)
  onUpgrade(server, (request, socket) => {
    assert.equal((request.socket as TLSSocket).encrypted, true)
    accept(request, socket, { protocol: protocols[0], frames: [frame('hello')] })
  })
  await using proxy = await startHttpProxy()
  const cluster = { 'certificate-authority-data': base64(ca.cert), 'proxy-url': proxy.url }
  await using home = await clientOf(server.url, { cluster })
  assert.deepEqual(await messages(await home.client.connect(exec()), 1), ['hello'])
  assert.equal(proxy.targets.length, 1)
})

test('a server that never answers the handshake is told after the time-out', async () => {
  await using server = await startKubeServer([])
  onUpgrade(server, () => {})
  await using home = await clientOf(server.url, { options: { requestTimeout: 50 } })
  await assert.rejects(home.client.connect(exec()), { code: 'connection', message: /no answer within 0.05 s/ })
})

test('an abort ends the handshake at once and leaves neither listeners nor sockets', async () => {
  await using server = await startKubeServer([])
  const controller = new AbortController()
  const reason = new Error('enough')
  onUpgrade(server, (_request, socket) => {
    socket.resume()
    controller.abort(reason)
  })
  await using home = await clientOf(server.url)
  await assert.rejects(home.client.connect(exec(controller.signal)), reason)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close')
})

test('a handshake that worked leaves no listeners', async () => {
  await using server = await startKubeServer([])
  const taken: Duplex[] = []
  onUpgrade(server, (request, socket) => {
    taken.push(socket)
    accept(request, socket, { protocol: protocols[0] })
  })
  await using home = await clientOf(server.url)
  const { signal } = new AbortController()
  const socket = await home.client.connect(exec(signal))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.deepEqual([socket.listenerCount('error'), socket.listenerCount('open')], [0, 0])
  socket.terminate()
  assert.equal(taken.length, 1)
})

test('nothing listens at the address: told as for a request', async () => {
  await using home = await clientOf('http://127.0.0.1:1')
  await assert.rejects(home.client.connect(exec()), { code: 'connection', message: /connection refused$/ })
})
