import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { suite, test } from 'node:test'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { TestSignals } from '../support/signals.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 4 }

/** A stdout whose reader has stopped reading. */
function blocked(onWrite: () => void = () => {}): Writable {
  return new Writable({ write: onWrite })
}

suite('output that nobody reads', together, () => {
  test('does not keep a run that is interrupted', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    const output = blocked(() => {
      signals.send('INT')
      signals.send('INT')
    })
    const { result, error } = await runOn(server, ['yes'], { signals, output })
    assert.equal(error, undefined)
    assert.deepEqual(result, { exitCode: 130, signal: 'INT', unread: true })
    assert.deepEqual(server.left, [])
  })

  test('does not keep a run that has taken longer than it may', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { result } = await runOn(server, ['yes'], { output: blocked(), timeout: 300, gracePeriod: 100 })
    assert.deepEqual(result, { exitCode: 124, unread: true })
    assert.deepEqual(server.left, [])
  })

  test('does not keep a run whose command has ended, and which one signal ends then', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    server.answers['delete pod'] = (_seen, _response, _request, usual) => {
      signals.send('TERM')
      return usual()
    }
    const { result } = await runOn(server, ['echo hi'], { signals, output: blocked(), gracePeriod: 2 ** 30 })
    assert.deepEqual(result, { exitCode: 143, signal: 'TERM', unread: true })
    assert.deepEqual(server.left, [])
  })

  test('leaves no listener that would hear of its failure too late', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { promise: failing, resolve: fail } = Promise.withResolvers<(error: Error) => void>()
    const output = new Writable({ write: (_chunk, _encoding, done) => fail(done) })
    await runOn(server, ['yes'], { output, timeout: 300, gracePeriod: 100 })
    // Without anybody who hears of it this would be an uncaught exception.
    const done = await failing
    done(new Error('EPIPE: the reader has gone after all'))
    await new Promise((resolve) => output.once('close', resolve))
    assert.equal(output.listenerCount('error'), 0)
  })
})
