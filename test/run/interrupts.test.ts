import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Interrupted, Interrupts } from '../../src/run/interrupts.ts'
import type { RunSignal } from '../../src/run/io.ts'
import { TestSignals } from '../support/signals.ts'

const bounded = { timeout: 10_000 }
const long = 2 ** 31

/** Interrupts, what they delivered, and the signals that drive them. */
function setUp(gracePeriod = long) {
  const signals = new TestSignals()
  const interrupts = new Interrupts({ signals }, gracePeriod)
  const delivered: string[] = []
  const run = (timeout?: number): void => interrupts.running((signal) => delivered.push(signal), timeout)
  return { signals, interrupts, delivered, run, [Symbol.dispose]: () => interrupts[Symbol.dispose]() }
}

for (const signal of ['INT', 'TERM', 'HUP', 'QUIT'] as const) {
  test(`before the command runs, ${signal} ends the run`, () => {
    using setting = setUp()
    setting.signals.send(signal)
    assert.equal(setting.interrupts.first, signal)
    assert.ok(setting.interrupts.signal.reason instanceof Interrupted)
  })

  test(`while it runs, ${signal} goes to the command`, () => {
    using setting = setUp()
    setting.run()
    setting.signals.send(signal)
    assert.equal(setting.interrupts.first, signal)
    assert.deepEqual(setting.delivered, [signal])
    assert.equal(setting.interrupts.signal.aborted, false)
  })
}

test('what does not ask to end just goes to the command, if there is one', () => {
  using setting = setUp()
  const others: RunSignal[] = ['USR1', 'USR2', 'WINCH', 'CONT']
  for (const signal of others) setting.signals.send(signal)
  setting.run()
  for (const signal of others) setting.signals.send(signal)
  assert.deepEqual(setting.delivered, others)
  assert.equal(setting.interrupts.first, undefined)
  assert.equal(setting.interrupts.signal.aborted, false)
})

test('a second signal: INT kills, others are passed on', () => {
  const rows: [RunSignal[], string[], boolean][] = [
    [['INT', 'INT'], ['INT', 'KILL'], true],
    [['TERM', 'INT'], ['TERM', 'KILL'], true],
    [['INT', 'TERM'], ['INT', 'TERM'], false],
    [['TERM', 'TERM'], ['TERM', 'TERM'], false],
    [['HUP', 'QUIT', 'INT'], ['HUP', 'QUIT', 'KILL'], true],
    [['USR1', 'INT'], ['USR1', 'INT'], false],
  ]
  for (const [sent, delivered, over] of rows) {
    using setting = setUp()
    setting.run()
    for (const signal of sent) setting.signals.send(signal)
    assert.deepEqual(setting.delivered, delivered)
    assert.equal(setting.interrupts.signal.aborted, over)
    assert.equal(
      setting.interrupts.first,
      sent.find((signal) => signal !== 'USR1'),
    )
  }
})

test('after the grace period the command is killed and the run is over', bounded, async () => {
  using setting = setUp(20)
  setting.run()
  setting.signals.send('TERM')
  await once(setting.interrupts.signal, 'abort')
  assert.deepEqual(setting.delivered, ['TERM', 'KILL'])
})

test('the time-out asks with TERM, then kills', bounded, async () => {
  using setting = setUp(20)
  setting.run(20)
  assert.equal(setting.interrupts.timedOut, false)
  await once(setting.interrupts.signal, 'abort')
  assert.ok(setting.interrupts.timedOut)
  assert.equal(setting.interrupts.first, undefined)
  assert.deepEqual(setting.delivered, ['TERM', 'KILL'])
})

test('a command that has ended in time does not run out of it afterwards', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const afterwards of ['ended', 'saving'] as const) {
    using setting = setUp(5)
    setting.run(5)
    setting.interrupts[afterwards](() => {})
    t.mock.timers.tick(1000)
    assert.equal(setting.interrupts.timedOut, false)
    assert.equal(setting.interrupts.signal.aborted, false)
    assert.deepEqual(setting.delivered, [])
  }
})

test('a time longer than a timer can hold does not fire at once', bounded, async () => {
  using setting = setUp(long * 10)
  setting.run(long * 10)
  setting.signals.send('TERM')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(setting.delivered, ['TERM'])
})

test('the program’s own failure ends the run with its reason', () => {
  const failure = new AbortController()
  using interrupts = new Interrupts({ signals: new TestSignals(), signal: failure.signal }, long)
  failure.abort(new Error('bug'))
  assert.match(String(interrupts.signal.reason), /bug/)
  using late = new Interrupts({ signals: new TestSignals(), signal: failure.signal }, long)
  assert.ok(late.signal.aborted)
})

test('keys are remembered, the last one only', () => {
  using setting = setUp()
  const rows: [string, string | undefined][] = [
    ['a\x03', 'INT'],
    ['\x1c', 'QUIT'],
    ['\x03a', undefined],
    ['', undefined],
  ]
  for (const [keys, signal] of rows) {
    setting.interrupts.keys(Buffer.from(keys))
    assert.equal(setting.interrupts.typed, signal)
  }
})

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

test('disposing leaves no listener and no timer', () => {
  const setting = setUp(long)
  setting.run(100_000)
  setting.signals.send('TERM')
  const before = timers()
  setting[Symbol.dispose]()
  assert.equal(setting.signals.listeners.size, 0)
  assert.ok(timers() <= before - 2, `${before} timers, then ${timers()}`)
})

test('what the command did is saved until somebody asks to end for the second time', () => {
  for (const again of ['INT', 'TERM', 'HUP'] as const) {
    using setting = setUp()
    const { interrupts, signals, run } = setting
    let told = 0
    run()
    interrupts.saving(() => (told += 1))
    signals.send('INT')
    assert.deepEqual([told, interrupts.signal.aborted, interrupts.gaveUp.aborted], [1, false, false])
    signals.send(again)
    assert.deepEqual([told, interrupts.signal.aborted, interrupts.gaveUp.aborted], [1, true, true])
  }
})

test('a command that has to be killed is none whose work is given up', bounded, async () => {
  using setting = setUp(10)
  const { interrupts, signals, run } = setting
  run()
  signals.send('TERM')
  await once(interrupts.signal, 'abort')
  assert.equal(interrupts.gaveUp.aborted, false)
  interrupts.saving(() => assert.fail('it is the second'))
  signals.send('TERM')
  assert.equal(interrupts.gaveUp.aborted, true)
})
