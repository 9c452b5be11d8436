import assert from 'node:assert/strict'
import { test } from 'node:test'
import { terminalSize } from '../../src/exec/terminal.ts'

/** An output stream, at a terminal of this size where one is given. */
function stream(columns?: number, rows?: number): NodeJS.WriteStream {
  return { ...(columns !== undefined && { isTTY: true, columns, rows }) } as NodeJS.WriteStream
}

test('a terminal’s size is that of any output that goes there, else the usual one', () => {
  const usual = { columns: 80, rows: 24 }
  const rows: [NodeJS.WriteStream, NodeJS.WriteStream, object][] = [
    [stream(100, 30), stream(100, 30), { columns: 100, rows: 30 }],
    [stream(), stream(120, 40), { columns: 120, rows: 40 }],
    [stream(100, 30), stream(), { columns: 100, rows: 30 }],
    [stream(), stream(), usual],
    // Some serial lines have none; without any the command would wait for it.
    [stream(0, 0), stream(0, 0), usual],
  ]
  for (const [stdout, stderr, expected] of rows) assert.deepEqual(terminalSize({ stdout, stderr }), expected)
})
