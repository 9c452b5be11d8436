import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { isLong, uploadArguments } from '../../src/exec/arguments.ts'
import { wrapperCommand } from '../../src/exec/wrapper.ts'
import { openKubeClient } from '../../src/kube/client.ts'
import { holderCommand } from '../../src/pod/holder.ts'
import { type Shell, toolsShell } from '../../src/pod/shell.ts'
import { exited, failure } from '../support/scripted-exec.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { shells } from '../support/shells.ts'
import { Wrapped } from '../support/wrapped.ts'

const bounded = { timeout: 20_000 }
const target = { namespace: 'dev', pod: 'p', container: 'kuberun' }
const { signal } = new AbortController()

test('an argv is long by what it takes of the request line', () => {
  const rows: [string[], boolean][] = [
    [['echo'], false],
    [['x'.repeat(4_900)], false],
    [['x'.repeat(5_000)], true],
    // Three characters a byte.
    [['ä'.repeat(800)], false],
    [['ä'.repeat(900)], true],
    [["'".repeat(1_700)], true],
    // Each word has its name before it.
    [Array.from({ length: 500 }, () => ''), false],
    [Array.from({ length: 600 }, () => ''), true],
    // What is no Unicode is not our concern here.
    [['\ud800'], false],
  ]
  for (const [argv, expected] of rows) assert.equal(isLong(argv), expected, `${argv.length}, ${argv[0]?.length}`)
})

test('a request line with an argv that is not long is one that any load balancer takes', () => {
  const word = "'".repeat(1_660)
  assert.equal(isLong([word]), false)
  const words = wrapperCommand(toolsShell, { mark: 'x'.repeat(21), input: 'ask', command: [word] })
  const command = new URLSearchParams(words.map((text) => ['command', text]))
  // The path and the rest of the query may take as much as they can.
  const other =
    'GET /api/v1/namespaces//pods//exec?container=kuberun&stdin=true&stdout=true&stderr=true&tty=false HTTP/1.1'
  assert.ok(String(command).length + other.length + 63 + 63 < 8_192, String(String(command).length))
})

/** A server with a container whose shell is this one. */
async function setUp(shell: Shell, protocol: 'v5' | 'v4') {
  const server = await ScriptedServer.start({ protocol })
  const pod = server.pods.add({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'kuberun', command: holderCommand(shell, 60_000) }] },
  })
  await pod.start()
  const client = await openKubeClient({ kubeconfig: server.kubeconfig })
  return {
    server,
    client,
    container: pod.container,
    [Symbol.asyncDispose]: async () => {
      client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

// All that a shell may make something of.
const nasty = [
  '',
  ' ',
  '\n',
  '\t',
  "'",
  "''",
  '"',
  '\\',
  '\\n',
  '$HOME',
  '`id`',
  '$(id)',
  '*',
  '~',
  '#',
  '-n',
  '--',
  '!',
  '%s',
  'ä€😀',
  '\x01\x7f',
  '=',
  '{a,b}',
  "it's",
  'a\nb',
]
const many = Array.from({ length: 20_000 }, (_, n) => `word ${n}`)
const large = ["'".repeat(100_000)]

for (const { name, shell } of shells) {
  suite(`a long argv under ${name}`, { concurrency: 2 }, () => {
    for (const protocol of ['v5', 'v4'] as const) {
      for (const [what, words] of [
        ['nasty', nasty],
        ['20,000', many],
        ['large', large],
      ] as const) {
        test(`brings ${what} words as they are, with ${protocol}`, bounded, async () => {
          await using setting = await setUp(shell, protocol)
          await uploadArguments(setting.client, { target, shell, argv: ['printf', '%s\\001', ...words], signal })
          assert.ok(setting.container)
          const wrapped = new Wrapped(setting.container, { shell, command: [] })
          assert.equal((await wrapped.end())?.exitCode, 0)
          const expected = words.map((word) => `${word}\x01`).join('')
          assert.equal(Buffer.from(wrapped.stdout, 'latin1').toString(), expected)
        })
      }
    }
  })
}

suite('an upload that fails', () => {
  const request = { target, shell: { command: ['sh'], setup: '' }, argv: ['x', 'y'], signal }

  test('is told', bounded, async () => {
    await using setting = await setUp(request.shell, 'v5')
    setting.server.exec = async (attempt) => (await attempt.accept()).end(exited(1))
    await assert.rejects(uploadArguments(setting.client, request), (error) => {
      assert.ok(error instanceof KuberunError)
      assert.equal(error.code, 'stream')
      assert.match(error.message, /2 words could not be brought/)
      return true
    })
  })

  test('because of the kubelet keeps its words', bounded, async () => {
    await using setting = await setUp(request.shell, 'v5')
    setting.server.exec = async (attempt) =>
      (await attempt.accept()).end(failure('InternalError', 'container not found'))
    await assert.rejects(uploadArguments(setting.client, request), /^ApiError: container not found$/)
  })

  test('without a status is a lost connection', bounded, async () => {
    await using setting = await setUp(request.shell, 'v5')
    setting.server.exec = async (attempt) => (await attempt.accept()).ws.close(1000)
    await assert.rejects(uploadArguments(setting.client, request), /connection to the API server lost/)
  })
})
