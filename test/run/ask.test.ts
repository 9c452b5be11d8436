import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { ask } from '../../src/run/ask.ts'
import { collector } from '../support/scripted-run.ts'

const bounded = { timeout: 10_000 }

function setUp() {
  const [stdin, stderr, over] = [new PassThrough(), collector(), new AbortController()]
  const io = { stdin: stdin as unknown as NodeJS.ReadStream, stderr: stderr as unknown as NodeJS.WriteStream }
  return { stdin, stderr, over, answer: ask(io, 'Go on? ', over.signal) }
}

suite('a question at a terminal', () => {
  test('is answered by one line, and what comes behind it is left', bounded, async () => {
    const { stdin, stderr, answer } = setUp()
    assert.equal(stderr.data().toString(), 'Go on? ')
    stdin.write('y\n')
    stdin.write('for the command\n')
    assert.equal(await answer, 'y')
    assert.equal(String(stdin.read()), 'for the command\n')
  })

  test('is not answered where the input ends', bounded, async () => {
    const { stdin, answer } = setUp()
    stdin.end()
    assert.equal(await answer, '')
  })

  test('is over with its signal, and leaves no listener', bounded, async () => {
    const { stdin, over, answer } = setUp()
    const reason = new Error('interrupted')
    over.abort(reason)
    await assert.rejects(answer, reason)
    assert.deepEqual(
      ['data', 'end', 'error'].map((name) => stdin.listenerCount(name)),
      [0, 0, 0],
    )
    assert.ok(stdin.isPaused())
  })
})
