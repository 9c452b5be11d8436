import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, KuberunError } from '../../src/errors.ts'
import type { CommandEnd } from '../../src/exec/command.ts'
import type { EndSignal } from '../../src/run/io.ts'
import { afterReturn, type Facts, outcomeOf } from '../../src/run/outcome.ts'

const lost = new KuberunError('connection', 'connection to the API server lost: x')
const ended = (exitCode: number, more: object = {}): CommandEnd => ({
  kind: 'ended',
  exitCode,
  outOfMemory: false,
  podEnding: false,
  ...more,
})
const cut = (code: number): CommandEnd => ({ kind: 'cut', status: { kind: 'exited', code } })
const cutBy: CommandEnd = {
  kind: 'cut',
  status: { kind: 'failed', error: new ApiError('task lost', { status: 500, reason: '', fromKubernetes: true }) },
}
const evicted = { message: 'it was evicted: x', hint: 'run it again' }
const noMemory = { message: 'it ran out of memory', outOfMemory: { limit: '20Mi' } }

const ends = {
  'exit 0': ended(0),
  'exit 3': ended(3),
  'exit 130': ended(130),
  'exit 137': ended(137),
  oom: ended(137, { outOfMemory: true }),
  'cut 0': cut(0),
  'cut 137': cut(137),
  'cut by': cutBy,
  lost,
  none: undefined,
}
const endings = { '': undefined, evicted, noMemory }
const signals = { '': undefined, INT: 'INT', TERM: 'TERM' } as const

/** An outcome in a word: an exit code, with the signal that we end by, or the code of an error. */
function word(facts: Facts): string {
  try {
    const { exitCode, signal } = outcomeOf(facts)
    return signal === undefined ? String(exitCode) : `${exitCode} ${signal}`
  } catch (error) {
    assert.ok(error instanceof KuberunError)
    return error.code
  }
}

/** What is expected, from the rules as they are told to users: the first that fits. */
function expected(
  end: keyof typeof ends,
  ending: keyof typeof endings,
  by: EndSignal | undefined,
  timedOut: boolean,
): string {
  const number = by === 'INT' ? 130 : 143
  if (timedOut) return '124'
  if (ending === 'noMemory') return '137'
  if (end === 'none' && by !== undefined) return `${number} ${by}`
  if (ending === 'evicted') return 'pod'
  if (end === 'lost') return 'connection'
  if (end === 'none') return 'pod'
  if (end.startsWith('cut')) return by === undefined ? 'stream' : `${number} ${by}`
  if (end === 'oom') return '137'
  const code = end.replace('exit ', '')
  return by !== undefined && code === String(number) ? `${number} ${by}` : code
}

test('every combination of facts has its outcome, and none that lacks an exit code is a success', () => {
  let rows = 0
  for (const [name, end] of Object.entries(ends) as [keyof typeof ends, Facts['end']][]) {
    for (const [endingName, ending] of Object.entries(endings) as [keyof typeof endings, Facts['ending']][]) {
      for (const interruptedBy of Object.values(signals)) {
        for (const timedOut of [false, true]) {
          const facts: Facts = {
            pod: 'p',
            end,
            ending,
            memoryLimit: undefined,
            interruptedBy,
            typed: undefined,
            timedOut,
          }
          const outcome = word(facts)
          assert.equal(
            outcome,
            expected(name, endingName, interruptedBy, timedOut),
            JSON.stringify([name, endingName, interruptedBy, timedOut]),
          )
          if (outcome === '0') assert.equal(name, 'exit 0')
          rows++
        }
      }
    }
  }
  assert.equal(rows, 10 * 3 * 3 * 2)
})

const quiet: Omit<Facts, 'end'> = {
  pod: 'p',
  ending: undefined,
  memoryLimit: undefined,
  interruptedBy: undefined,
  typed: undefined,
  timedOut: false,
}

test('a key at the terminal counts as a signal only where the command ended by it', () => {
  assert.deepEqual(outcomeOf({ ...quiet, end: ended(130), typed: 'INT' }), { exitCode: 130, signal: 'INT' })
  assert.deepEqual(outcomeOf({ ...quiet, end: ended(131), typed: 'QUIT' }), { exitCode: 131, signal: 'QUIT' })
  assert.deepEqual(outcomeOf({ ...quiet, end: ended(1), typed: 'INT' }), { exitCode: 1 })
  assert.deepEqual(outcomeOf({ ...quiet, end: ended(130), typed: 'QUIT' }), { exitCode: 130 })
})

test('want of memory is told with the limit, where there is one', () => {
  const oom = ended(137, { outOfMemory: true })
  assert.match(
    outcomeOf({ ...quiet, end: oom, memoryLimit: '20Mi' }).note ?? '',
    /ran out of memory \(limit 20Mi\); --limits=memory/,
  )
  assert.match(outcomeOf({ ...quiet, end: oom }).note ?? '', /ran out of memory; --limits=memory/)
  assert.match(outcomeOf({ ...quiet, end: undefined, ending: noMemory }).note ?? '', /limit 20Mi/)
})

test('a pod that was taken away keeps its cause, its hint and the command’s own exit code', () => {
  assert.throws(
    () => outcomeOf({ ...quiet, end: ended(5), ending: evicted }),
    (error) => {
      assert.ok(error instanceof KuberunError)
      assert.equal(
        error.message,
        'pod "p" ended while the command ran: it was evicted: x; the command then ended with exit code 5',
      )
      assert.equal(error.hint, 'run it again')
      return true
    },
  )
})

test('what has not come back makes a success none, and leaves a failure what it is', () => {
  const [all, some] = [{ isIncomplete: false }, { isIncomplete: true }]
  for (const exitCode of [0, 7, 143]) assert.deepEqual(afterReturn({ exitCode }, all, undefined), { exitCode })
  assert.deepEqual(afterReturn({ exitCode: 0 }, undefined, undefined), { exitCode: 0 })
  assert.deepEqual(afterReturn({ exitCode: 7 }, some, 'INT'), { exitCode: 7 })
  const { failure, ...outcome } = afterReturn({ exitCode: 0 }, some, undefined)
  assert.deepEqual([outcome, failure?.code], [{ exitCode: 125 }, 'sync'])
  assert.deepEqual(afterReturn({ exitCode: 0 }, some, 'INT'), { exitCode: 130, signal: 'INT' })
})
