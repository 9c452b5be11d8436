import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ExitStatus, parseExitStatus } from '../../src/exec/exit-status.ts'
import { exited, failure } from '../support/scripted-exec.ts'

/** What a table says of a status: the exit code, or the error's message. */
function read(status: ExitStatus | undefined): number | string | undefined {
  return status?.kind === 'exited' ? status.code : status?.error.message
}

const nonZero = (causes: unknown) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  message: 'm',
  details: { causes },
})

test('each status is an exit code or a failure', () => {
  const rows: [unknown, number | string][] = [
    [exited(0), 0],
    [{ metadata: {}, status: 'Success' }, 0],
    [exited(1), 1],
    [exited(137), 137],
    [exited(255), 255],
    // A process of Windows may end with 32 bits.
    [exited(3221225786), 3221225786],
    [exited(-1), -1],
    [
      nonZero([
        { reason: 'Other', message: 'x' },
        { reason: 'ExitCode', message: '4' },
      ]),
      4,
    ],
    [nonZero([{ reason: 'ExitCode', message: '0' }]), 'the exit status names no exit code: "0"'],
    [nonZero([{ reason: 'ExitCode', message: 'four' }]), 'the exit status names no exit code: "four"'],
    [nonZero([{ reason: 'ExitCode', message: '' }]), 'the exit status names no exit code: ""'],
    [nonZero([{ reason: 'ExitCode' }]), 'the exit status names no exit code: ""'],
    [nonZero([]), 'the exit status names no exit code: ""'],
    [nonZero(undefined), 'the exit status names no exit code: ""'],
    [{ status: 'Failure', reason: 'NonZeroExitCode' }, 'the exit status names no exit code: ""'],
    [failure('InternalError', 'container not found'), 'container not found'],
    [failure('', 'no reason'), 'no reason'],
    [{ status: 'Failure' }, 'the command could not be run'],
    [{}, 'the command could not be run'],
    [[], 'the command could not be run'],
    [null, 'the command could not be run'],
    [7, 'the command could not be run'],
    ['text', 'the command could not be run'],
  ]
  for (const [body, expected] of rows) assert.equal(read(parseExitStatus(JSON.stringify(body))), expected)
})

test('a failure keeps the code, the reason and the details', () => {
  const details = { name: 'x', kind: 'pods' }
  const status = parseExitStatus(JSON.stringify({ ...failure('NotFound', 'gone', 404), details }))
  assert.ok(status?.kind === 'failed')
  assert.deepEqual(status.error.failure, { status: 404, reason: 'NotFound', details, fromKubernetes: true })
})

test('no beginning of a status is one', () => {
  const text = JSON.stringify(exited(3))
  for (let length = 0; length < text.length; length++) assert.equal(parseExitStatus(text.slice(0, length)), undefined)
  assert.equal(read(parseExitStatus(text)), 3)
})
