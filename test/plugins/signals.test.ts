import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { takeIgnoredSignals } from '../../plugins/ignored-signals.ts'
import { describeError } from '../../plugins/report.ts'
import { catchSignals } from '../../plugins/signals.ts'
import { KuberunError } from '../../src/errors.ts'

test('a signal that comes before anybody listens is kept for who does', () => {
  const target = new EventEmitter()
  const signals = catchSignals(target)
  target.emit('SIGINT')
  target.emit('SIGWINCH')
  const heard: string[] = []
  const stop = signals.on((signal) => heard.push(signal))
  target.emit('SIGTERM')
  assert.deepEqual(heard, ['INT', 'WINCH', 'TERM'])
  stop()
  target.emit('SIGUSR1')
  assert.deepEqual(heard, ['INT', 'WINCH', 'TERM'])
})

test('signals that are released leave no listeners', () => {
  const target = new EventEmitter()
  catchSignals(target).release()
  assert.deepEqual(target.eventNames(), [])
})

test('a signal that is to be ignored is told to nobody', () => {
  const target = new EventEmitter()
  const heard: string[] = []
  catchSignals(target, new Set(['HUP'])).on((signal) => heard.push(signal))
  target.emit('SIGHUP')
  target.emit('SIGTERM')
  assert.deepEqual(heard, ['TERM'])
})

test('what the parent ignores is read from the kernel’s mask, and the note of it is taken away', () => {
  const rows: [string | undefined, string[]][] = [
    [undefined, []],
    ['', []],
    ['nonsense', []],
    ['0000000000000000', []],
    ['0000000000000001', ['HUP']],
    // QUIT alone: the shell that runs the stub does that.
    ['0000000000000004', []],
    ['0000000000000006', ['INT', 'QUIT']],
    ['ffffffffffffffff', ['HUP', 'INT', 'TERM', 'USR1', 'USR2', 'QUIT']],
  ]
  for (const [mask, expected] of rows) {
    const environment: NodeJS.ProcessEnv = { ...(mask !== undefined && { KUBERUN_SIGIGN: mask }), A: '1' }
    assert.deepEqual([...takeIgnoredSignals(environment)], expected, String(mask))
    assert.deepEqual(environment, { A: '1' })
  }
})

test('an error is one sentence, its hint below it, and no terminal is told what to do', () => {
  const error = new KuberunError('api', 'pods "x\u001b[31m" is\r\u202e forbidden', { hint: 'ask for this:\nrole: a' })
  assert.equal(describeError(error), 'error: pods "x\\x1b[31m" is\\x0d\\u202e forbidden\n  ask for this:\n  role: a\n')
})

test('an error that nobody threw on purpose says that it is a bug, and where only when asked', () => {
  const text = 'error: internal error: x is not a function\n  this is a bug: please report it, with what -v=9 adds\n'
  assert.equal(describeError(new TypeError('x is not a function')), text)
  assert.match(describeError(new TypeError('x'), true), /\n {4}at /)
  assert.match(describeError('thrown text'), /^error: internal error: thrown text\n/)
})
