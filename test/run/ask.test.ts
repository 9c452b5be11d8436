import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { ask } from '../../src/run/ask.ts'

const never = new AbortController().signal

function terminal() {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()]
  return { stdin, stderr, said: () => String(stderr.read() ?? '') }
}

async function allOf(stdin: PassThrough): Promise<string> {
  stdin.end()
  let text = ''
  for await (const chunk of stdin) text += chunk
  return text
}

suite('a question', { concurrency: true }, () => {
  test('is answered by a line, in pieces or not, and what is behind that is left', async () => {
    const io = terminal()
    const answer = ask('Go on? ', io, never)
    io.stdin.write('y')
    io.stdin.write('es\nfor the ')
    assert.equal(await answer, 'yes')
    assert.equal(io.said(), 'Go on? ')
    io.stdin.write('command\n')
    assert.equal(await allOf(io.stdin), 'for the command\n')
  })

  test('leaves a stdin that listeners can be given to', async () => {
    const io = terminal()
    const answer = ask('Go on? ', io, never)
    io.stdin.write('y\n')
    await answer
    const next = new Promise((resolve) => io.stdin.once('data', resolve))
    io.stdin.write('typed')
    assert.equal(String(await next), 'typed')
  })

  test('is answered by the end of input', async () => {
    const io = terminal()
    const answer = ask('Go on? ', io, never)
    io.stdin.end('n')
    assert.equal(await answer, 'n')
  })

  test('is given up by the signal, and takes nothing then', async () => {
    const io = terminal()
    const over = new AbortController()
    const answer = ask('Go on? ', io, over.signal)
    over.abort(new Error('enough'))
    await assert.rejects(answer, { message: 'enough' })
    await assert.rejects(ask('Go on? ', io, over.signal), { message: 'enough' })
    assert.equal(io.stdin.listenerCount('readable'), 0)
    io.stdin.write('kept')
    assert.equal(await allOf(io.stdin), 'kept')
  })
})
