import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { ApiRequest } from '../../src/kube/client.ts'
import { proxyFor } from '../../src/kube/proxy.ts'
import { type Authority, base64, createAuthority, type Pair } from '../support/kube-certificates.ts'
import { clientOf, type Setup } from '../support/kube-home.ts'
import { type Proxy, startHttpProxy, startSocksProxy } from '../support/kube-proxy.ts'
import { type Answer, json, startKubeServer } from '../support/kube-server.ts'

const get: ApiRequest = { method: 'GET', path: '/api' }
let ca: Authority
let certificate: Pair
let me: Pair

before(async () => {
  ca = await createAuthority()
  certificate = await ca.sign('api', 'IP:127.0.0.1,DNS:api.internal')
  me = await ca.sign('me', 'DNS:me')
})
after(() => ca[Symbol.asyncDispose]())

const whoAmI: Answer = (seen, response, request) => {
  const socket = request.socket as TLSSocket
  const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } }
  return json(200, { name: subject?.CN, servername: socket.servername })(seen, response, request)
}

const through = (proxy: string, more: Record<string, unknown> = {}): Setup => ({
  cluster: { 'certificate-authority-data': base64(ca.cert), 'proxy-url': proxy, ...more },
  user: { 'client-certificate-data': base64(me.cert), 'client-key-data': base64(me.key) },
})

const kinds: [name: string, start: () => Promise<Proxy>][] = [
  ['an HTTP proxy', startHttpProxy],
  ['a SOCKS5 proxy', startSocksProxy],
]
for (const [name, start] of kinds) {
  test(`through ${name} the server still sees CA, client certificate and name, on a kept connection`, async () => {
    await using server = await startKubeServer(whoAmI, { ...certificate, ca: ca.cert, requestCert: true })
    await using proxy = await start()
    await using home = await clientOf(server.url, through(proxy.url))
    assert.deepEqual(await home.client.request(get), { name: 'me', servername: false })
    await home.client.request(get)
    assert.deepEqual(proxy.targets, [`127.0.0.1:${server.port}`])
    await using named = await clientOf(server.url, through(proxy.url, { 'tls-server-name': 'api.internal' }))
    assert.deepEqual(await named.client.request(get), { name: 'me', servername: 'api.internal' })
  })

  test(`through ${name} a certificate for another name is refused`, async () => {
    await using server = await startKubeServer(whoAmI, await ca.sign('x', 'DNS:localhost,DNS:other'))
    await using proxy = await start()
    await using home = await clientOf(server.url, through(proxy.url))
    await assert.rejects(home.client.request(get), { message: /another name/, hint: /tls-server-name/ })
  })

  test(`through ${name} an http:// server is reached too`, async () => {
    await using server = await startKubeServer(json(200, { ok: true }))
    await using proxy = await start()
    await using home = await clientOf(server.url, { cluster: { 'proxy-url': proxy.url } })
    assert.deepEqual(await home.client.request(get), { ok: true })
    assert.equal(proxy.targets.length, 1)
  })
}

test('a proxy is told its user and password', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using proxy = await startHttpProxy()
  await using home = await clientOf(server.url, { cluster: { 'proxy-url': proxy.url.replace('//', '//u:p%40w@') } })
  await home.client.request(get)
  assert.equal(proxy.headers[0]?.['proxy-authorization'], `Basic ${Buffer.from('u:p@w').toString('base64')}`)
})

const refused: [status: string, message: RegExp, hint: RegExp][] = [
  ['407 Proxy Authentication Required', /the proxy "http:\/\/127\.0\.0\.1:\d+" refused: 407/, /user and password/],
  ['403 Forbidden', /the proxy ".*" refused: 403/, /NO_PROXY/],
]
for (const [status, message, hint] of refused) {
  test(`a proxy’s ${status} is not taken for the API server’s`, async () => {
    await using server = await startKubeServer(json(200, {}), certificate)
    await using proxy = await startHttpProxy(status)
    await using home = await clientOf(server.url, through(proxy.url.replace('//', '//user:secret@')))
    await assert.rejects(home.client.request(get), { code: 'connection', message, hint })
    const connecting = home.client.connect({ path: '/', protocols: ['x'], signal: new AbortController().signal })
    await assert.rejects(connecting, { code: 'connection', message, hint })
    assert.equal(server.seen.length, 0)
  })
}

for (const url of ['http://127.0.0.1:1', 'socks5://127.0.0.1:1']) {
  test(`a proxy that is not there is named: ${url}`, async () => {
    await using home = await clientOf('https://127.0.0.1:6443', through(url))
    await assert.rejects(home.client.request(get), { code: 'connection', message: new RegExp(`the proxy "${url}": `) })
  })
}

const choices: [server: string, env: Record<string, string>, expected: string | undefined][] = [
  ['https://api:6443', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1/'],
  ['https://api:6443', { https_proxy: 'http://p:1' }, 'http://p:1/'],
  ['https://api:6443', { HTTPS_PROXY: 'p:1' }, 'http://p:1/'],
  ['https://api:6443', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://api', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
  ['https://api', { ALL_PROXY: 'socks5://p:1' }, undefined],
  ['https://api.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other, example.com' }, undefined],
  ['https://example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example.com' }, 'http://p:1/'],
  ['https://api.example.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*.example.com' }, undefined],
  ['https://badexample.com', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com' }, 'http://p:1/'],
  ['https://10.1.2.3:6443', { HTTPS_PROXY: 'http://p:1', no_proxy: '10.0.0.0/8' }, undefined],
  ['https://11.1.2.3:6443', { HTTPS_PROXY: 'http://p:1', no_proxy: '10.0.0.0/8' }, 'http://p:1/'],
  ['https://[fd00::5]', { HTTPS_PROXY: 'http://p:1', no_proxy: 'fd00::/8' }, undefined],
  ['https://api:6443', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'api:443' }, 'http://p:1/'],
  ['https://api:6443', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'api:6443' }, undefined],
  ['https://api', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, undefined],
  ['https://127.0.0.1:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
  ['https://localhost:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
  ['https://[::1]:6443', { HTTPS_PROXY: 'http://p:1' }, undefined],
]
for (const [server, env, expected] of choices) {
  test(`the way to ${server} with ${JSON.stringify(env)} is ${expected ?? 'direct'}`, () => {
    assert.equal(proxyFor(new URL(server), undefined, env)?.href, expected)
  })
}

test('proxy-url wins over the environment, and nonsense is told', () => {
  const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }
  assert.equal(proxyFor(new URL('https://127.0.0.1'), 'socks5://q:2', env)?.href, 'socks5://q:2')
  assert.throws(() => proxyFor(new URL('https://api'), 'ftp://q', env), { code: 'kubeconfig', message: /proxy-url/ })
  assert.throws(() => proxyFor(new URL('https://api'), undefined, { HTTPS_PROXY: 'ftp://q' }), {
    message: /HTTPS_PROXY/,
  })
})
