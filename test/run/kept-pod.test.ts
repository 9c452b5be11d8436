import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 4 }

/** Whether the holder has been told to go on without us. */
async function isTold(server: ScriptedServer): Promise<boolean> {
  const [pod] = server.pods.all.values()
  assert.ok(pod?.container)
  return (await pod.container.exec(['sh', '-c', '[ -e /dev/shm/kuberun.keep ]']).exitCode) === 0
}

suite('a pod that is kept although the run failed', together, () => {
  test('outlives a run that lost its stream', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = async (attempt) => {
      if (attempt.kind !== 'command') return attempt.run()
      const stream = await attempt.accept()
      await stream.send(1, attempt.markOf('+'))
      stream.reset()
    }
    const { error, stderr } = await runOn(server, ['sleep 100'], { rm: 'on-success' })
    assert.ok(error instanceof KuberunError && error.code === 'connection')
    assert.match(stderr, /is kept until .*; its container runs until the deadline: kubectl exec/)
    assert.equal(await isTold(server), true)
  })

  test('outlives a run whose output nobody wants, while its command goes on', bounded, async () => {
    await using server = await ScriptedServer.start()
    const output = new Writable({
      write: (_chunk: Buffer, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    })
    const { error, stderr } = await runOn(server, ['echo x; exec sleep 100'], { rm: 'never', output })
    assert.ok(error instanceof KuberunError && error.code === 'stdio')
    assert.match(stderr, /its container runs until the deadline/)
    assert.equal(await isTold(server), true)
  })

  test('is not said to outlive it where its container could not be told', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = (attempt) => (attempt.kind === 'control' ? attempt.refuse('403 Forbidden', '') : attempt.run())
    const { stderr } = await runOn(server, ['exit 3'], { rm: 'never' })
    assert.match(stderr, /is kept until .*; its container has ended or soon will, as it could not be told to stay\n$/)
    assert.equal(await isTold(server), false)
  })

  test('that has ended itself is not waited for', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = async (attempt) => {
      if (attempt.kind !== 'command') return attempt.run()
      const stream = await attempt.accept()
      await stream.send(1, attempt.markOf('+'))
      const [pod] = server.pods.all.values()
      pod?.update(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'Evicted', message: 'disk' }))
      stream.reset()
    }
    const { error, stderr } = await runOn(server, ['sleep 100'], { rm: 'never' })
    assert.ok(error instanceof KuberunError && error.code === 'pod', String(error))
    assert.match(stderr, /its container has ended or soon will/)
    assert.deepEqual(
      server.execs.filter(({ kind }) => kind === 'control'),
      [],
    )
  })
})
