import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ApiRequest } from '../../src/kube/client.ts'
import { base64, createAuthority } from '../support/kube-certificates.ts'
import { clientOf } from '../support/kube-home.ts'
import { type Answer, json, type KubeServer, plain, refusal, startKubeServer } from '../support/kube-server.ts'

const get: ApiRequest = { method: 'GET', path: '/api' }

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An ID token; nobody but the API server checks its signature. */
function idToken(iss: string, seconds: number, name = 'me'): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss, aud: 'kube', sub: name, iat: now, exp: now + seconds }
  return `${part({ alg: 'RS256' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`
}

interface Issued {
  methods?: string[]
  rotate?: boolean
}

/** An issuer that grants an ID token of an hour for each refresh token. */
function issuer({ methods, rotate = true }: Issued = {}): Answer {
  let grants = 0
  return (seen, response, request) => {
    const secure = 'encrypted' in request.socket
    const url = `${secure ? 'https' : 'http'}://${seen.headers.host}`
    const metadata = { issuer: url, token_endpoint: `${url}/token`, token_endpoint_auth_methods_supported: methods }
    if (seen.url.startsWith('/.well-known')) return json(200, metadata)(seen, response, request)
    grants++
    const tokens = {
      access_token: 'a',
      token_type: 'bearer',
      expires_in: 1,
      id_token: idToken(url, 3600, `grant ${grants}`),
    }
    return json(200, { ...tokens, ...(rotate ? { refresh_token: `refresh ${grants}` } : {}) })(seen, response, request)
  }
}

function user(server: KubeServer, config: Record<string, string>): Record<string, unknown> {
  const settings = { 'idp-issuer-url': server.url, 'client-id': 'kube', 'refresh-token': 'refresh 0', ...config }
  return { 'auth-provider': { name: 'oidc', config: settings } }
}

const subject = (authorization = ''): unknown => {
  const [, payload = ''] = authorization.replace('Bearer ', '').split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

test('an ID token that is good is used as it is', async () => {
  await using api = await startKubeServer(json(200, {}))
  await using idp = await startKubeServer(issuer())
  await using home = await clientOf(api.url, { user: user(idp, { 'id-token': idToken(idp.url, 3600) }) })
  await home.client.request(get)
  assert.equal(subject(api.seen[0]?.headers.authorization), 'me')
  assert.equal(idp.seen.length, 0)
})

test('an ID token that ends is refreshed once for all, and kept in the kubeconfig with the new refresh token', async () => {
  await using api = await startKubeServer(json(200, {}))
  await using idp = await startKubeServer(issuer())
  const old = idToken(idp.url, -5)
  await using home = await clientOf(api.url, { user: user(idp, { 'id-token': old, 'client-secret': 's:t' }) })
  await Promise.all([home.client.request(get), home.client.request(get)])
  await home.client.request(get)
  assert.deepEqual(new Set(api.seen.map(({ headers }) => subject(headers.authorization))), new Set(['grant 1']))
  assert.equal(idp.seen.length, 2)
  const [, grant] = idp.seen
  assert.equal(grant?.headers.authorization, `Basic ${Buffer.from('kube:s%3At').toString('base64')}`)
  assert.equal(new URLSearchParams(grant?.body).get('refresh_token'), 'refresh 0')
  const file = join(home.folder.path, 'config')
  const kept = await readFile(file, 'utf8')
  assert.ok(kept.includes('refresh 1') && !kept.includes('refresh 0') && !kept.includes(old))
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

const ways: [what: string, methods: string[], secret: Record<string, string>, body: RegExp][] = [
  [
    'in the body where the issuer takes no other',
    ['client_secret_post'],
    { 'client-secret': 'st' },
    /client_secret=st/,
  ],
  ['not at all for a public client', ['none'], {}, /client_id=kube/],
]
for (const [what, methods, secret, body] of ways) {
  test(`the client secret is sent ${what}`, async () => {
    await using api = await startKubeServer(json(200, {}))
    await using idp = await startKubeServer(issuer({ methods, rotate: false }))
    await using home = await clientOf(api.url, { user: user(idp, { 'id-token': idToken(idp.url, -5), ...secret }) })
    await home.client.request(get)
    assert.match(idp.seen[1]?.body ?? '', body)
    assert.equal(idp.seen[1]?.headers.authorization, undefined)
  })
}

test('a refused ID token is refreshed', async () => {
  const unauthorized = refusal(401, 'Unauthorized', 'Unauthorized')
  await using api = await startKubeServer([unauthorized, json(200, {})])
  await using idp = await startKubeServer(issuer())
  await using home = await clientOf(api.url, { user: user(idp, { 'id-token': idToken(idp.url, 3600) }) })
  await home.client.request(get)
  assert.deepEqual(
    api.seen.map(({ headers }) => subject(headers.authorization)),
    ['me', 'grant 1'],
  )
})

test('the issuer’s own CA is trusted', async () => {
  await using ca = await createAuthority()
  await using api = await startKubeServer(json(200, {}))
  await using idp = await startKubeServer(issuer(), await ca.sign('idp', 'IP:127.0.0.1'))
  const expired = { 'id-token': idToken(idp.url, -5) }
  const trusted = user(idp, { ...expired, 'idp-certificate-authority-data': base64(ca.cert) })
  await using home = await clientOf(api.url, { user: trusted })
  await home.client.request(get)
  await using stranger = await clientOf(api.url, { user: user(idp, expired) })
  await assert.rejects(stranger.client.request(get), { code: 'credentials', message: /cannot refresh the id-token/ })
})

test('faults of OpenID Connect are told with what to do', async () => {
  await using idp = await startKubeServer(plain(500, 'broken'))
  const told = async (config: Record<string, string>, expected: object): Promise<void> => {
    await using home = await clientOf('http://127.0.0.1:1', { user: user(idp, config) })
    await assert.rejects(home.client.request(get), expected)
  }
  const expired = { 'id-token': idToken(idp.url, -5) }
  await told(expired, { code: 'credentials', message: /cannot refresh the id-token of the user "me"/, hint: /log in/ })
  await told({ ...expired, 'idp-issuer-url': 'nonsense' }, { code: 'kubeconfig', message: /idp-issuer-url/ })
  await told({ 'id-token': 'a.b.c' }, { code: 'credentials', message: /cannot read the id-token/ })
})
