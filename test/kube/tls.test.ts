import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import net from 'node:net'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { KuberunError } from '../../src/errors.ts'
import type { ApiRequest } from '../../src/kube/client.ts'
import { type Authority, base64, createAuthority, type Pair } from '../support/kube-certificates.ts'
import { clientOf, quickPace, type Setup } from '../support/kube-home.ts'
import { type Answer, json, listen, startKubeServer } from '../support/kube-server.ts'

const get: ApiRequest = { method: 'GET', path: '/api' }
let ca: Authority
let other: Authority
let certificate: Pair

before(async () => {
  ca = await createAuthority()
  other = await createAuthority('another CA')
  certificate = await ca.sign('api', 'IP:127.0.0.1,DNS:localhost,DNS:api.internal')
})
after(async () => {
  await ca[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const named = (name: string): Setup => ({ cluster: { ...trusting(), 'tls-server-name': name } })
const trusting = (): Record<string, unknown> => ({ 'certificate-authority-data': base64(ca.cert) })
/** Answers with the name that the client's certificate has, and with the name that it asked for. */
const whoAmI: Answer = (seen, response, request) => {
  const socket = request.socket as TLSSocket
  const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } }
  return json(200, { name: subject?.CN ?? '', servername: socket.servername })(seen, response, request)
}

test('the CA of the kubeconfig is trusted, an address is not sent as a name, HTTP stays 1.1', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  await using home = await clientOf(server.url, { cluster: trusting(), user: {} })
  assert.deepEqual(await home.client.request(get), { name: '', servername: false })
})

test('a CA file is relative to the kubeconfig, and data wins over a file', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  await using home = await clientOf(server.url, { cluster: { ...trusting(), 'certificate-authority': 'missing' } })
  await home.client.request(get)
  const opening = clientOf(server.url, { cluster: { 'certificate-authority': 'missing.crt' } })
  await assert.rejects(opening, {
    code: 'kubeconfig',
    message: /certificate-authority ".*missing\.crt".*does not exist/,
  })
})

test('insecure-skip-tls-verify accepts any certificate, even for a context without a user', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  await using home = await clientOf(server.url, { cluster: { 'insecure-skip-tls-verify': true } })
  await home.client.request(get)
})

test('tls-server-name is asked for and checked', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  await using home = await clientOf(server.url, named('api.internal'))
  assert.deepEqual(await home.client.request(get), { name: '', servername: 'api.internal' })
  await using wrong = await clientOf(server.url, named('elsewhere'))
  await assert.rejects(wrong.client.request(get), { message: /another name/ })
})

const untold = /"https:\/\/127\.0\.0\.1:\d+"/
const refusals: [
  what: string,
  served: () => Promise<Pair>,
  cluster: () => Record<string, unknown>,
  message: RegExp,
  hint: RegExp,
][] = [
  [
    'of another CA',
    () => other.sign('api', 'IP:127.0.0.1'),
    trusting,
    /certificate is not trusted/,
    /certificate-authority\(-data\)/,
  ],
  [
    'without a CA given',
    async () => certificate,
    () => ({}),
    /certificate is not trusted/,
    /certificate-authority\(-data\)/,
  ],
  ['that has expired', () => ca.sign('api', 'IP:127.0.0.1', -1), trusting, /certificate has expired/, /clock/],
  ['for another name', () => ca.sign('api', 'DNS:other'), trusting, /for another name/, /tls-server-name/],
]
for (const [what, served, cluster, message, hint] of refusals) {
  test(`a certificate ${what} is refused with a hint at the field`, async () => {
    await using server = await startKubeServer(whoAmI, await served())
    await using home = await clientOf(server.url, { cluster: cluster() })
    await assert.rejects(home.client.request({ ...get, patience: 5_000 }), (error) => {
      assert.ok(error instanceof KuberunError)
      assert.equal(error.code, 'connection')
      assert.match(error.message, untold)
      assert.match(error.message, message)
      assert.match(error.hint ?? '', hint)
      return true
    })
  })
}

test('a client certificate is shown', async () => {
  const me = await ca.sign('me', 'DNS:me')
  await using server = await startKubeServer(whoAmI, { ...certificate, ca: ca.cert, requestCert: true })
  const user = { 'client-certificate-data': base64(me.cert), 'client-key-data': base64(me.key) }
  await using home = await clientOf(server.url, { cluster: trusting(), user })
  assert.deepEqual(await home.client.request(get), { name: 'me', servername: false })
})

test('a client certificate that the server refuses is a matter of credentials', async () => {
  const me = await other.sign('me', 'DNS:me')
  await using server = await startKubeServer(whoAmI, { ...certificate, ca: ca.cert, requestCert: true })
  const user = { 'client-certificate-data': base64(me.cert), 'client-key-data': base64(me.key) }
  await using home = await clientOf(server.url, { cluster: trusting(), user, pace: quickPace() })
  await assert.rejects(home.client.request(get), (error) => {
    assert.ok(error instanceof KuberunError)
    assert.match(error.message, /^cannot (log in to|reach) the API server/)
    return true
  })
})

test('a key that is not the certificate’s is told', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  const user = { 'client-certificate-data': base64(certificate.cert), 'client-key-data': base64('nonsense') }
  await using home = await clientOf(server.url, { cluster: trusting(), user })
  await assert.rejects(home.client.request(get), { code: 'kubeconfig', hint: /client-key/ })
})

test('a certificate that a plugin replaced is used on a new connection', async () => {
  const granted = [await ca.sign('first', 'DNS:x'), await ca.sign('second', 'DNS:x')]
  const apiVersion = 'client.authentication.k8s.io/v1'
  const credential = (pair?: Pair): string =>
    JSON.stringify({
      kind: 'ExecCredential',
      apiVersion,
      status: { clientCertificateData: pair?.cert, clientKeyData: pair?.key },
    })
  const script: Answer[] = [whoAmI, whoAmI, json(401, {}), whoAmI]
  await using server = await startKubeServer(script, { ...certificate, ca: ca.cert, requestCert: true })
  const user = { exec: { apiVersion, command: 'cat', args: [] as string[], interactiveMode: 'Never' } }
  await using folder = await clientOf(server.url)
  const file = await folder.folder.file('credential', credential(granted[0]))
  user.exec.args.push(file)
  await using home = await clientOf(server.url, { cluster: trusting(), user })
  const name = async (): Promise<string> => (await home.client.request<{ name: string }>(get)).name
  assert.equal(await name(), 'first')
  assert.equal(await name(), 'first')
  assert.equal(server.sockets.length, 1)
  await writeFile(file, credential(granted[1]))
  assert.equal(await name(), 'second')
  assert.equal(server.sockets.length, 2)
})

test('a server that speaks no TLS is told', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using home = await clientOf(server.url.replace('http', 'https'), { cluster: trusting() })
  await assert.rejects(home.client.request(get), { message: /it speaks no TLS$/, hint: /http:\/\// })
})

test('a server that closes within the TLS handshake is told', async () => {
  const server = net.createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const port = await listen(server)
  await using home = await clientOf(`https://127.0.0.1:${port}`, { cluster: trusting() })
  const pace = { now: () => 0, random: () => 0, sleep: async () => {} }
  await using quick = await clientOf(`https://127.0.0.1:${port}`, { cluster: trusting(), pace })
  await assert.rejects(quick.client.request(get), { code: 'connection', message: /the connection was closed$/ })
  home.client.close()
  server.close()
  await once(server, 'close')
})

test('the sessions of TLS are resumed by new connections', async () => {
  await using server = await startKubeServer(whoAmI, certificate)
  const reused: boolean[] = []
  server.http.on('secureConnection', (socket: TLSSocket) => reused.push(socket.isSessionReused()))
  await using home = await clientOf(server.url, { cluster: trusting() })
  await home.client.request(get)
  await Promise.all([home.client.request(get), home.client.request(get)])
  assert.deepEqual(reused, [false, true])
})
