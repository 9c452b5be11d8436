import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { json, refusal, silent } from '../support/kube-server.ts'
import { runOn } from '../support/scripted-run.ts'
import { type ScriptedAnswer, ScriptedServer } from '../support/scripted-server.ts'
import { TestSignals } from '../support/signals.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 40 }
/** With the shortest orphan timeout a guard is prolonged every 1.25 s. */
const pod = { orphanTimeout: 5_000 }

const exceeded = refusal(403, 'Forbidden', 'pods "x" is forbidden: exceeded quota: q, requested: pods=1')
const ending = { metadata: { name: 'other', deletionTimestamp: '2030-01-01T00:00:00Z' } }

/**
 * There is no quota for the pod until this many patches of the Job have come, and then not at once: the client is to have
 * the answer to the last one before it tries again.
 */
function noQuotaUntil(server: ScriptedServer, patches: number): void {
  let refusedAfter = 0
  const create: ScriptedAnswer = (seen, response, request, usual) => {
    const enough = server.of('patch job').length >= patches && refusedAfter++ > 0
    return enough ? usual() : exceeded(seen, response, request)
  }
  server.answers['create pod'] = create
  server.answers['list pods'] = json(200, { metadata: {}, items: [ending] })
}

/** The guards that a pod was sent with. */
function owners(server: ScriptedServer): unknown[] {
  const { metadata } = JSON.parse(server.of('create pod').at(-1)?.body ?? '{}') as { metadata: object }
  return 'ownerReferences' in metadata ? (metadata.ownerReferences as unknown[]) : []
}

/** Runs a command that ends when the Job has been patched twice. */
async function untilPatchedTwice(server: ScriptedServer, first: ScriptedAnswer) {
  const input = new PassThrough()
  let patches = 0
  server.answers['patch job'] = (seen, response, request, usual) => {
    patches += 1
    if (patches === 2) input.end('done\n')
    return patches === 1 ? first(seen, response, request, usual) : usual()
  }
  return runOn(server, ['read line; echo "$line"'], { input, pod })
}

suite('the guard', together, () => {
  test('is prolonged while its pod waits for quota', bounded, async () => {
    await using server = await ScriptedServer.start()
    noQuotaUntil(server, 1)
    const { result, error } = await runOn(server, ['exit 3'], { pod })
    assert.equal(error, undefined)
    assert.deepEqual(result, { exitCode: 3 })
    assert.equal(owners(server).length, 1)
    assert.deepEqual(server.left, [])
  })

  test('that may not be prolonged does not own a pod that is made after that', bounded, async () => {
    await using server = await ScriptedServer.start()
    noQuotaUntil(server, 1)
    server.answers['patch job'] = refusal(403, 'Forbidden', 'jobs.batch is forbidden')
    const { result, stderr } = await runOn(server, ['exit 3'], { pod })
    assert.deepEqual(result, { exitCode: 3 })
    assert.deepEqual(owners(server), [])
    assert.doesNotMatch(stderr, /cannot be prolonged/)
    assert.deepEqual(server.left, [])
  })

  for (const [name, answer] of [
    ['a server in trouble', refusal(500, 'InternalError', 'etcd is away')],
    ['an expired token', refusal(401, 'Unauthorized', 'Unauthorized')],
    ['a conflict', refusal(409, 'Conflict', 'the object has been modified')],
  ] as const) {
    test(`outlives ${name}: it is prolonged the next time`, bounded, async () => {
      await using server = await ScriptedServer.start()
      const { stdout, stderr } = await untilPatchedTwice(server, answer)
      assert.equal(stdout.toString(), 'done\n')
      assert.equal(stderr, '')
      assert.deepEqual(
        server.of('delete job').map(({ query }) => query.get('propagationPolicy')),
        ['Background'],
      )
    })
  }

  test('that is gone when its pod is kept is no reason for a warning', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.answers['delete job'] = refusal(404, 'NotFound', 'jobs.batch "x" not found')
    const { result, stderr } = await runOn(server, ['exit 3'], { rm: 'on-success' })
    assert.deepEqual(result, { exitCode: 3 })
    assert.doesNotMatch(stderr, /warning/)
  })

  for (const [name, answer] of [
    ['is never answered', silent],
    ['meets a busy server', refusal(503, 'ServiceUnavailable', 'busy', { details: { retryAfterSeconds: 5 } })],
  ] as const) {
    test(`that ${name} does not hold up its pod for long`, bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['create job'] = [answer]
      const { result, stderr } = await runOn(server, ['exit 3'])
      assert.deepEqual(result, { exitCode: 3 })
      assert.equal(stderr, '')
      assert.deepEqual(owners(server), [])
    })
  }

  test('that was made without an answer is removed', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.answers['create job'] = [silent]
    const { result, stderr } = await runOn(server, ['exit 3'])
    assert.deepEqual(result, { exitCode: 3 })
    assert.equal(stderr, '')
    assert.equal(server.of('delete job').length, 1)
  })

  test('whose creation was interrupted is removed', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    server.answers['create job'] = () => signals.send('TERM')
    const { result } = await runOn(server, ['exit 3'], { signals })
    assert.deepEqual(result, { exitCode: 143, signal: 'TERM' })
    assert.equal(server.of('delete job').length, 1)
  })

  test('that was refused is not looked for', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.answers['create job'] = refusal(403, 'Forbidden', 'jobs.batch is forbidden')
    const { result } = await runOn(server, ['exit 3'])
    assert.deepEqual(result, { exitCode: 3 })
    assert.equal(server.of('delete job').length, 0)
  })
})
