import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { inClusterConfig } from '../../src/kube/in-cluster.ts'
import { type ClusterConfig, loadClusterConfig } from '../../src/kube/kubeconfig.ts'
import { showServer } from '../../src/kube/server-url.ts'
import type { ClusterOptions } from '../../src/options.ts'
import { kubeconfigText, temporaryFolder } from '../support/kube-home.ts'

const yaml = `
# a comment
apiVersion: v1
kind: Config
current-context: a
contexts:
- {name: a, context: {cluster: c1, user: u1, namespace: team}}
- {name: b, context: {cluster: c2, user: u1}}
- {name: anonymous, context: {cluster: c1}}
- {name: no-cluster, context: {user: u1}}
- {name: lost-cluster, context: {cluster: nowhere}}
- {name: lost-user, context: {cluster: c1, user: nobody}}
clusters:
- name: c1
  cluster: {server: "https://one:6443", certificate-authority: ca.crt, tls-server-name: api}
- {name: c2, cluster: {server: "http://localhost:8001/", insecure-skip-tls-verify: true}}
users:
- {name: u1, user: {token: t1, as: boss, as-groups: [g], as-uid: "7"}}
- {name: u2, user: {token: 12345}}
`

async function load(text: string, options: ClusterOptions = {}): Promise<ClusterConfig> {
  await using folder = await temporaryFolder()
  return await loadClusterConfig({ kubeconfig: await folder.file('config', text), ...options }, {})
}

test('the current context gives the cluster, the user and the namespace', async () => {
  const config = await load(yaml)
  assert.equal(showServer(config.server), 'https://one:6443')
  assert.equal(config.namespace, 'team')
  assert.equal(config.user.token, 't1')
  assert.equal(config.cluster['tls-server-name'], 'api')
})

const overrides: [what: string, options: ClusterOptions, expected: Partial<Record<string, unknown>>][] = [
  ['--context', { context: 'b' }, { server: 'http://localhost:8001', namespace: 'default', token: 't1' }],
  ['--cluster', { cluster: 'c2' }, { server: 'http://localhost:8001', namespace: 'team', token: 't1' }],
  ['--user', { user: 'u2' }, { server: 'https://one:6443', namespace: 'team', token: '12345' }],
  ['--namespace', { namespace: 'other' }, { server: 'https://one:6443', namespace: 'other', token: 't1' }],
  [
    'a context without a user',
    { context: 'anonymous' },
    { server: 'https://one:6443', namespace: 'default', token: undefined },
  ],
]
for (const [what, options, expected] of overrides) {
  test(`${what} decides`, async () => {
    const { server, namespace, user } = await load(yaml, options)
    assert.deepEqual({ server: showServer(server), namespace, token: user.token }, expected)
  })
}

test('--as replaces the whole of the kubeconfig’s impersonation, --as-group its groups', async () => {
  const { user: given } = await load(yaml)
  assert.deepEqual([given.as, given['as-groups'], given['as-uid']], ['boss', ['g'], '7'])
  const { user: replaced } = await load(yaml, { as: 'me' })
  assert.deepEqual([replaced.as, replaced['as-groups'], replaced['as-uid']], ['me', undefined, undefined])
  const { user: groups } = await load(yaml, { asGroup: ['x', 'y'] })
  assert.deepEqual([groups.as, groups['as-groups']], ['boss', ['x', 'y']])
  await assert.rejects(load(yaml, { user: 'u2', asGroup: ['x'] }), { code: 'kubeconfig', hint: /--as/ })
})

const broken: [what: string, text: string, options: ClusterOptions, message: RegExp, hint?: RegExp][] = [
  ['an unknown context', yaml, { context: 'x' }, /^context "x" does not exist in .*config"$/, /"a", "b", "anonymous"/],
  ['an unknown cluster', yaml, { cluster: 'x' }, /^cluster "x" does not exist/, /"c1", "c2"/],
  ['an unknown user', yaml, { user: 'x' }, /^user "x" does not exist/, /"u1", "u2"/],
  ['a context whose cluster is missing', yaml, { context: 'lost-cluster' }, /^cluster "nowhere" does not exist/],
  ['a context whose user is missing', yaml, { context: 'lost-user' }, /^user "nobody" does not exist/],
  ['a context without a cluster', yaml, { context: 'no-cluster' }, /^context "no-cluster" names no cluster/],
  ['no current context', 'contexts: [{name: a, context: {cluster: c}}]', {}, /^no current context is set/, /"a"/],
  ['YAML that is none', 'contexts: [', {}, /^cannot parse the kubeconfig ".*config":/, /kubectl config view/],
  ['a list that is none', 'contexts: 3', {}, /"contexts" is no list$/],
  ['a text', 'hello', {}, /it holds no mapping$/],
  ['an item without a name', 'users: [{user: {}}]', {}, /an item of "users" has no name$/],
  ['an empty file', '', {}, /is empty$/],
  [
    'a server that is none',
    kubeconfigText({ server: 'ftp://x' }),
    {},
    /^the server "ftp:\/\/x" of cluster "one" in the/,
    /https:\/\/HOST/,
  ],
  ['a server that is no URL', kubeconfigText({ server: 'https://a b' }), {}, /is no URL of an API server$/],
  ['no server', kubeconfigText({}), {}, /^cluster "one" in the kubeconfig ".*" has no server$/],
]
for (const [what, text, options, message, hint] of broken) {
  test(`told with the file and what to do: ${what}`, async () => {
    await assert.rejects(load(text, options), (error) => {
      assert.ok(error instanceof KuberunError)
      assert.equal(error.code, 'kubeconfig')
      assert.match(error.message, message)
      if (hint !== undefined) assert.match(error.hint ?? '', hint)
      return true
    })
  })
}

const servers: [cluster: Record<string, unknown>, expected: string][] = [
  [{ server: 'http://127.0.0.1:8001' }, 'http://127.0.0.1:8001'],
  [{ server: 'https://rancher/k8s/clusters/c-1/' }, 'https://rancher/k8s/clusters/c-1'],
  [{ server: 'HTTPS://Host:6443' }, 'https://host:6443'],
  [{ server: 'localhost:8080' }, 'http://localhost:8080'],
  [{ server: 'host:6443', 'certificate-authority-data': 'eA==' }, 'https://host:6443'],
  [{ server: 'https://[::1]:6443' }, 'https://[::1]:6443'],
]
for (const [cluster, expected] of servers) {
  test(`the server ${JSON.stringify(cluster)} is ${expected}`, async () => {
    assert.equal(showServer((await load(kubeconfigText(cluster))).server), expected)
  })
}

test('of several files the first that sets a thing counts, missing and empty ones are skipped', async () => {
  await using folder = await temporaryFolder()
  const first = await folder.file('first', 'users: [{name: me, user: {token: first}}]')
  const second = await folder.file('second', kubeconfigText({ server: 'https://second' }, { token: 'second' }))
  const third = await folder.file('third', kubeconfigText({ server: 'https://third' }).replaceAll('here', 'there'))
  const empty = await folder.file('empty', '')
  const files = ['', join(folder.path, 'missing'), empty, first, '', second, third]
  const env = { KUBECONFIG: files.join(delimiter) }
  const config = await loadClusterConfig({}, env)
  assert.equal(config.context, 'here')
  assert.equal(showServer(config.server), 'https://second')
  assert.equal(config.user.token, 'first')
  assert.equal((await loadClusterConfig({ kubeconfig: third }, env)).server.hostname, 'third')
})

test('relative paths start from the file that they are in', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'a'))
  const users = await folder.file('a/users', 'users: [{name: me, user: {client-key: k}}]')
  const rest = await folder.file('rest', kubeconfigText({ server: 'https://x' }))
  const config = await loadClusterConfig({}, { KUBECONFIG: [users, rest].join(delimiter) })
  assert.equal(config.userFolder, dirname(users))
  assert.equal(config.clusterFolder, dirname(rest))
})

test('without a file named, ~/.kube/config counts', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, '.kube'))
  await folder.file('.kube/config', kubeconfigText({ server: 'https://home' }))
  assert.equal((await loadClusterConfig({}, { HOME: folder.path, KUBECONFIG: '' })).server.hostname, 'home')
})

test('a file that is named must exist', async () => {
  await assert.rejects(loadClusterConfig({ kubeconfig: '/nowhere/x' }, {}), {
    message: /"\/nowhere\/x" does not exist/,
  })
})

test('without any file, the error says where it looked and what to do', async () => {
  await assert.rejects(loadClusterConfig({}, { HOME: '/nowhere' }), {
    code: 'kubeconfig',
    message: 'no kubeconfig found: looked for "/nowhere/.kube/config"',
    hint: /--kubeconfig or \$KUBECONFIG/,
  })
})

test('in a pod the service account counts, and its token stays a file', async () => {
  await using folder = await temporaryFolder()
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  assert.equal(await inClusterConfig(env, folder.path), undefined)
  await folder.file('token', 'x')
  await folder.file('namespace', 'mine\n')
  const config = await inClusterConfig(env, folder.path)
  assert.equal(config?.server.href, 'https://[fd00::1]/')
  assert.equal(config?.namespace, 'mine')
  assert.equal(config?.user.tokenFile, join(folder.path, 'token'))
  assert.equal(await inClusterConfig({}, folder.path), undefined)
})

test('names of a kubeconfig are not ignored in a pod that has none', async () => {
  await using folder = await temporaryFolder()
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBECONFIG: join(folder.path, 'none') }
  await folder.file('token', 'x')
  const inPod = (options: ClusterOptions) => loadClusterConfig(options, env, folder.path)
  assert.equal((await inPod({ namespace: 'mine' })).userName, 'service account')
  for (const options of [{ context: 'a' }, { cluster: 'a' }, { user: 'a' }]) {
    await assert.rejects(inPod(options), { code: 'kubeconfig', message: /^no kubeconfig found/ })
  }
})
