import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { type ExecAttempt, failure } from '../support/scripted-exec.ts'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 4 }

/** A run whose control exec is never answered, until its container must have ended for want of beats. */
async function runUnheard(control: (attempt: ExecAttempt) => unknown): Promise<KuberunError> {
  await using server = await ScriptedServer.start()
  server.exec = async (attempt) => {
    if (attempt.kind === 'control') await control(attempt)
    // A stream that says nothing of its container's end.
    else await (await attempt.accept()).send(1, attempt.markOf('+'))
  }
  server.life = (pod) => {
    pod.schedule()
    pod.state({ running: { startedAt: new Date() } })
  }
  const { error } = await runOn(server, ['sleep 100'], { pod: { orphanTimeout: 5_000 } })
  assert.ok(error instanceof KuberunError)
  return error
}

suite('a run whose container hears nothing for too long', together, () => {
  test('says what forbids it', bounded, async () => {
    const message = 'pods "x" is forbidden: User "me" cannot create resource "pods/exec" in API group ""'
    const error = await runUnheard((attempt) =>
      attempt.refuse('403 Forbidden', JSON.stringify(failure('Forbidden', message, 403))),
    )
    assert.equal(error.code, 'api')
    assert.equal(error.message, `the container has heard nothing from here and has ended the command: ${message}`)
    assert.match(error.hint ?? '', /pods\/exec/)
  })

  test('says how its connection was lost', bounded, async () => {
    const error = await runUnheard((attempt) => attempt.reset())
    assert.equal(error.code, 'connection')
    assert.match(error.message, /^connection to the API server lost: cannot reach .*: the connection was closed$/)
    assert.match(error.hint ?? '', /has been ended/)
  })

  test('says that nothing answers', bounded, async () => {
    const error = await runUnheard(async (attempt) => (await attempt.accept()).ws.pause())
    assert.equal(error.code, 'connection')
    assert.match(error.message, /^connection to the API server lost: no answer within [\d.]+ s$/)
  })
})
