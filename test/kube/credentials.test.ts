import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import type { ApiRequest } from '../../src/kube/client.ts'
import { clientOf, type Setup, type TestClient, temporaryFolder } from '../support/kube-home.ts'
import { type Answer, json, refusal, type Seen, startKubeServer } from '../support/kube-server.ts'

const get: ApiRequest = { method: 'GET', path: '/api' }
const v1 = 'client.authentication.k8s.io/v1'
const unauthorized = refusal(401, 'Unauthorized', 'Unauthorized')

/** Grants the token alone. */
function only(token: () => string): Answer {
  return (seen, response, request) =>
    (seen.headers.authorization === `Bearer ${token()}` ? json(200, {}) : unauthorized)(seen, response, request)
}

const tokens = (seen: readonly Seen[]): (string | undefined)[] => seen.map(({ headers }) => headers.authorization)

test('a user and password are sent as Basic', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using home = await clientOf(server.url, { user: { username: 'u', password: 'p:w' } })
  await home.client.request(get)
  assert.deepEqual(tokens(server.seen), [`Basic ${Buffer.from('u:p:w').toString('base64')}`])
})

test('impersonation is sent as headers, odd characters of an extra’s name percent-encoded', async () => {
  await using server = await startKubeServer(json(200, {}))
  const user = { as: 'boss', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': { 'x.io/Scopes': ['r', 'w'] } }
  await using home = await clientOf(server.url, { user })
  await home.client.request(get)
  const headers = server.seen[0]?.headers ?? {}
  assert.equal(headers['impersonate-user'], 'boss')
  assert.equal(headers['impersonate-uid'], '7')
  assert.equal(headers['impersonate-group'], 'a, b')
  assert.equal(headers['impersonate-extra-x.io%2fscopes'], 'r, w')
})

test('a token file wins over the token, and is read again after a refusal', async () => {
  await using folder = await temporaryFolder()
  const tokenFile = await folder.file('token', 'one\n')
  let granted = 'one'
  await using server = await startKubeServer(only(() => granted))
  await using home = await clientOf(server.url, { user: { tokenFile, token: 'static' } })
  await home.client.request(get)
  granted = 'two'
  await writeFile(tokenFile, 'two')
  await home.client.request(get)
  assert.deepEqual(tokens(server.seen), ['Bearer one', 'Bearer one', 'Bearer two'])
})

test('a token file that is missing is named, unless there is a token', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using lost = await clientOf(server.url, { user: { tokenFile: '/nowhere/token' } })
  await assert.rejects(lost.client.request(get), { code: 'credentials', message: /"\/nowhere\/token"/ })
  await using home = await clientOf(server.url, { user: { tokenFile: '/nowhere/token', token: 'static' } })
  await home.client.request(get)
  assert.deepEqual(tokens(server.seen), ['Bearer static'])
})

test('a refusal of a fixed token is told at once, with what to do', async () => {
  await using server = await startKubeServer(unauthorized)
  await using home = await clientOf(server.url, { user: { token: 'x' } })
  await assert.rejects(home.client.request(get), { code: 'api', message: 'Unauthorized', hint: /log in/ })
  assert.equal(server.seen.length, 1)
})

test('certificate files that cannot be read are named', async () => {
  await using server = await startKubeServer(json(200, {}))
  const user = { 'client-certificate': 'missing.crt', 'client-key-data': 'eA==' }
  await using home = await clientOf(server.url, { user })
  const message = `cannot read the client-certificate "${join(home.folder.path, 'missing.crt')}" of the kubeconfig: it does not exist`
  await assert.rejects(home.client.request(get), { code: 'kubeconfig', message })
})

test('an auth-provider that Kubernetes removed is named', async () => {
  const opening = clientOf('http://localhost', { user: { 'auth-provider': { name: 'gcp' } } })
  await assert.rejects(opening, { code: 'credentials', message: /"gcp" of the user "me" is not supported/ })
})

interface Plugin {
  script: string
  exec?: Record<string, unknown>
  setup?: Setup
}

/** A client whose credentials come from a shell script beside its kubeconfig; `$1` is the folder. */
async function withPlugin(server: string, { script, exec, setup }: Plugin): Promise<TestClient> {
  const plugin = { apiVersion: v1, command: './plugin', interactiveMode: 'Never', ...exec }
  const home = await clientOf(server, { ...setup, user: { exec: plugin } })
  await home.folder.file('plugin', `#!/bin/sh\ncd "$(dirname "$0")"\n${script}\n`, 0o755)
  return home
}

function credential(status: Record<string, unknown>, apiVersion = v1): string {
  return JSON.stringify({ kind: 'ExecCredential', apiVersion, status })
}

const counting = 'echo run >> runs; n=$(wc -l < runs | tr -d " ")\n'
const numbered = `${counting}printf '{"kind":"ExecCredential","apiVersion":"${v1}","status":{"token":"t%s"}}' "$n"`

test('a plugin runs once for many requests that wait for it', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using home = await withPlugin(server.url, { script: numbered })
  await Promise.all(Array.from({ length: 5 }, () => home.client.request(get)))
  await home.client.request(get)
  assert.deepEqual(new Set(tokens(server.seen)), new Set(['Bearer t1']))
})

test('a plugin runs once more after a refusal, and not a third time', async () => {
  let granted = 't1'
  await using server = await startKubeServer(only(() => granted))
  await using home = await withPlugin(server.url, { script: numbered })
  await home.client.request(get)
  granted = 't2'
  await Promise.all([home.client.request(get), home.client.request(get)])
  assert.equal(await readFile(join(home.folder.path, 'runs'), 'utf8'), 'run\nrun\n')
  granted = 'never'
  await assert.rejects(home.client.request(get), { message: 'Unauthorized' })
  assert.deepEqual(tokens(server.seen).slice(-2), ['Bearer t2', 'Bearer t3'])
})

const lifetimes: [what: string, milliseconds: number, runs: number][] = [
  ['ends soon', 5_000, 2],
  ['has ended', -5_000, 2],
  ['lives long', 60_000, 1],
]
for (const [what, milliseconds, runs] of lifetimes) {
  test(`a plugin’s token that ${what}: ${runs} run(s) for two requests`, async () => {
    await using server = await startKubeServer(json(200, {}))
    const expirationTimestamp = new Date(Date.now() + milliseconds).toISOString()
    const script = `${counting}echo '${credential({ token: 't', expirationTimestamp })}'`
    await using home = await withPlugin(server.url, { script })
    await home.client.request(get)
    await home.client.request(get)
    assert.equal(await readFile(join(home.folder.path, 'runs'), 'utf8'), 'run\n'.repeat(runs))
  })
}

test('a plugin is told its version, the cluster and that it may not ask', async () => {
  await using server = await startKubeServer(json(200, {}))
  const script = `printf %s "$KUBERNETES_EXEC_INFO" > info; echo "$EXTRA $*" > args; cat > stdin; echo '${credential({ token: 't' })}'`
  const cluster = {
    'tls-server-name': 'api',
    extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
  }
  const exec = { provideClusterInfo: true, args: ['a', 'b c'], env: [{ name: 'EXTRA', value: 'more' }] }
  await using home = await withPlugin(server.url, { script, exec, setup: { cluster } })
  await home.client.request(get)
  const info = await readFile(join(home.folder.path, 'info'), 'utf8')
  const told = { server: server.url, 'tls-server-name': 'api', config: { audience: 'x' } }
  assert.deepEqual(JSON.parse(info), {
    kind: 'ExecCredential',
    apiVersion: v1,
    spec: { cluster: told, interactive: false },
  })
  assert.equal(await readFile(join(home.folder.path, 'args'), 'utf8'), 'more a b c\n')
  assert.equal(await readFile(join(home.folder.path, 'stdin'), 'utf8'), '')
})

test('v1beta1 plugins work too', async () => {
  await using server = await startKubeServer(json(200, {}))
  const apiVersion = 'client.authentication.k8s.io/v1beta1'
  const script = `echo '${credential({ token: 'old' }, apiVersion)}'`
  await using home = await withPlugin(server.url, { script, exec: { apiVersion } })
  await home.client.request(get)
  assert.deepEqual(tokens(server.seen), ['Bearer old'])
})

const installHint = 'install it with: brew install x'
const failing: [what: string, plugin: Plugin, message: RegExp, hint?: RegExp][] = [
  [
    'a missing program',
    { script: '', exec: { command: 'no-such-plugin', installHint } },
    /"no-such-plugin" of the user "me": it is not inst/,
    /brew install x/,
  ],
  ['a missing script', { script: '', exec: { command: 'x/plugin' } }, /cannot run the credential plugin "x\/plugin"/],
  ['a folder', { script: '', exec: { command: '/' } }, /may not be executed.*EACCES/, /chmod \+x/],
  ['a failure', { script: 'exit 3' }, /"\.\/plugin" failed: exit 3/, /log in again/],
  ['a signal', { script: 'kill -9 $$' }, /failed: exit SIGKILL/],
  ['no output', { script: 'true' }, /printed nothing/],
  ['no JSON', { script: 'echo token: x' }, /printed no JSON$/],
  ['another kind', { script: 'echo "{\\"kind\\":\\"Pod\\"}"' }, /printed the kind "Pod"/],
  ['another version', { script: `echo '${credential({ token: 'x' }, 'v2')}'` }, /printed the apiVersion "v2", but/],
  ['no status', { script: `echo '{"kind":"ExecCredential","apiVersion":"${v1}"}'` }, /printed no status/],
  ['an empty status', { script: `echo '${credential({})}'` }, /neither a token nor a certificate/],
  ['half a pair', { script: `echo '${credential({ clientCertificateData: 'x' })}'` }, /certificate without its key/],
  [
    'no time',
    { script: `echo '${credential({ token: 'x', expirationTimestamp: 'soon' })}'` },
    /"soon", which is no time/,
  ],
  [
    'an old version asked for',
    { script: '', exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
    /unsupported apiVersion ".*v1alpha1"/,
  ],
  [
    'a question without a terminal',
    { script: '', exec: { interactiveMode: 'Always' } },
    /has to ask you, but stdin is no terminal/,
  ],
  ['an unknown mode', { script: '', exec: { interactiveMode: 'Maybe' } }, /interactiveMode "Maybe"/],
]
for (const [what, plugin, message, hint] of failing) {
  test(`a credential plugin’s fault is worded: ${what}`, async () => {
    await using home = await withPlugin('http://127.0.0.1:1', plugin)
    await assert.rejects(home.client.request(get), (error) => {
      assert.ok(error instanceof KuberunError)
      assert.equal(error.code, 'credentials')
      assert.match(error.message, message)
      if (hint !== undefined) assert.match(error.hint ?? '', hint)
      return true
    })
  })
}

test('an abort need not wait for a plugin, and closing the client ends it', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using home = await withPlugin(server.url, { script: 'exec sleep 60' })
  const signal = AbortSignal.timeout(50)
  await assert.rejects(home.client.request({ ...get, signal }), { name: 'TimeoutError' })
  const waiting = home.client.request(get)
  home.client.close()
  await assert.rejects(waiting, { code: 'credentials' })
})
