import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { asUser, neededRules, variant } from './support/account.ts'
import { listen } from './support/listen.ts'
import { type Place, places } from './support/place.ts'
import { expect, expectError, folder } from './support/programs.ts'

const seconds = 10_000
const { here } = await places({ here: {} })

/** The same place for a user whose credentials a plugin gives. */
function withPlugin(exec: Record<string, unknown>): Place {
  return variant(here, `plugin-${String(exec['command']).replaceAll('/', '_')}`, ({ users }) => {
    const apiVersion = 'client.authentication.k8s.io/v1'
    for (const entry of users) entry.user = { exec: { apiVersion, interactiveMode: 'Never', ...exec } }
  })
}

describe('a mistake in the command line', { concurrency: 4, timeout: 120_000 }, () => {
  const mistakes: Record<string, [script: string, sentence: RegExp]> = {
    'an unknown flag': ['kubectl kuberun --nosuch true', /^error: unknown flag: --nosuch\n/],
    'an unknown short flag': ['kubectl kuberun -x true', /^error: unknown shorthand flag: 'x' in -x\n/],
    'a flag without its value': ['kubectl kuberun --image', /^error: flag needs an argument: --image\n/],
    'an --env without a name': ['kuberun --env =1 true', /^error: .*--env/],
    'an --env without anything': [`kuberun --env '' true`, /^error: .*--env/],
    '--limits without an amount': ['kuberun --limits memory true', /^error: .*"memory".*--limits/],
    '--limits with an amount that is none': ['kuberun --limits memory=lots true', /^error: .*"?lots/],
    '--limits of something that does not exist': ['kuberun --limits memroy=1Gi true', /^error: .*memroy/],
    '--requests above --limits': ['kuberun --requests memory=2Gi --limits memory=1Gi true', /^error: .*memory/],
    '--overrides that are no JSON': [`kuberun --overrides '{' true`, /^error: invalid overrides: /],
    '--overrides that are no object': [`kuberun --overrides '[1]' true`, /^error: invalid overrides: /],
    '--overrides that take our container away': [
      `kuberun --overrides '{"spec":{"containers":[{"name":"x","image":"y"}]}}' true`,
      /^error: --overrides leave no container "kuberun"/,
    ],
    '--overrides that share the processes': [
      `kuberun --overrides '{"spec":{"hostPID":true}}' true`,
      /^error: --overrides set "hostPID"/,
    ],
    'a patch that does not apply': [
      `kuberun --override-type json --overrides '[{"op":"remove","path":"/spec/nosuch"}]' true`,
      /^error: cannot apply overrides: /,
    ],
    'a label that cannot be': [`kuberun -l 'a=b c' true`, /^error: .*"?b c/],
    'a time-out that is none': ['kuberun --timeout soon true', /^error: .*"soon".*--timeout/],
    'a negative time': ['kuberun --deadline=-1s true', /^error: .*--deadline/],
    '--rm with a policy that does not exist': ['kuberun --rm=maybe true', /^error: .*"maybe".*--rm/],
    '--restart=Always': ['kuberun --restart=Always true', /^error: .*--restart/],
    'an env file that is not there': ['kuberun --env-file nosuch true', /^error: .*"nosuch".*ENOENT/],
    'an env file that is a folder': ['kuberun --env-file / true', /^error: .*"\/".*EISDIR/],
    'an empty image name': [`kuberun --image '' true`, /^error: .*image/],
    'a namespace that cannot be': [`kuberun -n 'A B' true`, /^error: .*"A B"/],
    'a toleration with an effect that does not exist': ['kuberun --toleration a:Never true', /^error: .*effect/],
    'a NUL byte where none can be': [
      `kuberun --env "$(printf 'A=\\001')" -l "x=$(printf '\\033[31m')" true`,
      /^error: /,
    ],
  }
  for (const [title, [script, sentence]] of Object.entries(mistakes)) {
    test(title, async () => {
      const ended = await here.sh(script)
      expectError(ended, sentence, { within: seconds })
      assert.equal(ended.stdout, '')
      assert.ok(!ended.stderr.includes('\x1b'), 'no control characters')
    })
  }
})

describe('a kubeconfig that leads nowhere', { concurrency: 4, timeout: 120_000 }, () => {
  const run = 'kubectl kuberun true'

  test('an unknown context', async () => {
    expectError(await here.sh('kubectl kuberun --context nosuch true'), /"nosuch"/, { within: seconds })
  })

  test('an unknown user and an unknown cluster', async () => {
    expectError(await here.sh('kubectl kuberun --user nosuch true'), /"nosuch"/, { within: seconds })
    expectError(await here.sh('kubectl kuberun --cluster nosuch true'), /"nosuch"/, { within: seconds })
  })

  test('a file that is not there', async () => {
    expectError(await here.sh('kubectl kuberun --kubeconfig /nosuch true'), /\/nosuch/, { within: seconds })
  })

  test('a file that is no YAML, an empty one, and a folder', async () => {
    writeFileSync(join(folder, 'no-yaml'), '{ "a": [')
    writeFileSync(join(folder, 'empty'), '')
    expectError(await here.sh('kuberun --kubeconfig ./no-yaml true'), /no-yaml/, { within: seconds })
    expectError(await here.sh('kuberun --kubeconfig ./empty true', { env: { HOME: folder } }), /./, { within: seconds })
    expectError(await here.sh('kuberun --kubeconfig / true'), /./, { within: seconds })
  })

  test('a server that refuses connections', async () => {
    const down = variant(here, 'down', ({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = 'https://127.0.0.1:1'
    })
    expectError(await down.sh(run), /^error: .*127\.0\.0\.1:1\b.*refused/, { within: seconds })
  })

  test('a server whose name does not exist', async () => {
    const nowhere = variant(here, 'nowhere', ({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = 'https://nosuch.invalid:6443'
    })
    expectError(await nowhere.sh(run), /nosuch\.invalid/, { within: 20_000 })
  })

  test('a server that takes connections and never answers, with --request-timeout', async () => {
    await using silent = await listen(createServer(() => {}))
    const hung = variant(here, 'hung', ({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = `https://127.0.0.1:${silent.port}`
    })
    expectError(await hung.sh('kuberun --request-timeout 2s true'), /127\.0\.0\.1/, { within: 20_000 })
  })

  test('a server that speaks no TLS', async () => {
    await using plain = await listen(
      createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    const wrong = variant(here, 'plain', ({ clusters }) => {
      for (const { cluster } of clusters) cluster.server = `https://127.0.0.1:${plain.port}`
    })
    expectError(await wrong.sh(run), /127\.0\.0\.1/, { within: 20_000 })
  })

  test('a certificate that is not trusted', async () => {
    const untrusted = variant(here, 'untrusted', ({ clusters }) => {
      for (const { cluster } of clusters) delete cluster['certificate-authority-data']
    })
    expectError(await untrusted.sh(run), /certificate/, { within: seconds })
  })

  test('a certificate for another name', async () => {
    const other = variant(here, 'other-name', ({ clusters }) => {
      for (const { cluster } of clusters) cluster['tls-server-name'] = 'other.example'
    })
    expectError(await other.sh(run), /certificate is for another name/, { within: seconds })
  })

  test('a token that has expired, or is none', async () => {
    const garbage = variant(here, 'garbage', ({ users }) => {
      for (const entry of users) entry.user = { token: 'garbage' }
    })
    expectError(await garbage.sh(run), /token|credentials|unauthorized/i, { within: seconds })
  })

  test('no credentials at all', async () => {
    const nobody = variant(here, 'nobody', ({ users }) => {
      for (const entry of users) entry.user = {}
    })
    expectError(await nobody.sh(run), /./, { within: seconds })
  })

  test('a credential plugin that is not there', async () => {
    const missing = withPlugin({ command: 'nosuch-plugin', installHint: 'get it from example.org' })
    expectError(await missing.sh(run), /nosuch-plugin[^]*example\.org/, { within: seconds })
  })

  test('a credential plugin that fails', async () => {
    expectError(await withPlugin({ command: '/bin/false' }).sh(run), /\/bin\/false/, { within: seconds })
  })

  test('a credential plugin that prints nonsense', async () => {
    expectError(await withPlugin({ command: 'echo', args: ['nonsense'] }).sh(run), /echo/, { within: seconds })
  })
})

describe('what the API server refuses', { concurrency: 3, timeout: 120_000 }, () => {
  test('a namespace that is not there', async () => {
    const ended = await here.sh('kubectl kuberun -n nosuch-namespace true')
    expectError(ended, /"nosuch-namespace".*not found/, { within: seconds })
  })

  test('no right to create pods', async () => {
    const reader = await asUser(here, 'reader', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    ])
    expectError(await reader.sh('kubectl kuberun true'), /create[^]*pods[^]*Role/, { within: seconds })
  })

  test('no right to exec', async () => {
    const maker = await asUser(here, 'maker', neededRules.slice(0, 1))
    expectError(await maker.sh('kubectl kuberun true'), /pods\/exec[^]*Role/, { within: 20_000 })
  })

  test('no right to watch', async () => {
    const blind = await asUser(here, 'blind', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'create', 'delete'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    ])
    const ended = await blind.sh('kubectl kuberun echo hi')
    // It does not need it to run; where it cannot do without, it says so.
    if (ended.code === 0) expect(ended, { stdout: 'hi\n' })
    else expectError(ended, /watch/, { within: 20_000 })
  })

  test('no right to delete: the pod is named', async () => {
    const keeper = await asUser(here, 'keeper', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    ])
    const ended = await keeper.sh('kubectl kuberun echo hi')
    expect(ended, { stdout: 'hi\n', stderr: /warning: pod "(\S+)" may be left behind[^]*kubectl delete pod/ })
    const [, name] = /pod "(\S+)"/.exec(ended.stderr) ?? []
    expect(await here.sh(`kubectl delete pod ${name} --wait=false`), { code: 0 })
  })

  test('a service account that is not there', async () => {
    expectError(await here.sh('kuberun --serviceaccount nosuch true'), /"nosuch"/, { within: seconds })
  })

  test('a user to act as, without the right', async () => {
    const dev = await asUser(here, 'impersonator')
    expectError(await dev.sh('kuberun --as nosuch true'), /impersonate/, { within: seconds })
  })
})
