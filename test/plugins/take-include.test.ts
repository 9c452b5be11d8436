import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeInclude } from '../../plugins/take-include.ts'

test('the first word is the include pattern, and the rest is the command', () => {
  const rows: [string[], string, string[]][] = [
    [['src/**', 'make', 'test'], 'src/**', ['make', 'test']],
    [['hello.1.txt', 'echo 1 > hello.1.txt'], 'hello.1.txt', ['echo 1 > hello.1.txt']],
    [['a', '-n', '--', ''], 'a', ['-n', '--', '']],
    [['a'], 'a', []],
    // A "--" between the two is no word of the command.
    [['a', '--', 'make', '--', 'b'], 'a', ['make', '--', 'b']],
    [['a', '--', '--'], 'a', ['--']],
  ]
  for (const [words, include, command] of rows) assert.deepEqual(takeInclude(words), { include, command })
})

test('an include pattern that is missing or can match nothing is told', () => {
  assert.throws(() => takeInclude([]), { name: 'UsageError', message: 'no include pattern and no command given' })
  assert.throws(() => takeInclude(['', 'x']), {
    name: 'UsageError',
    message: 'invalid include pattern "": must not be empty',
  })
})
