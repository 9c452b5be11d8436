import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ShellMode } from '../../src/options.ts'
import { commandArgv, notFoundHint } from '../../src/run/words.ts'

test('one word that only a shell understands is a command line, several words are an argv', () => {
  const rows: [string[], ShellMode, string[]][] = [
    [['ls'], 'auto', ['ls']],
    [['ls', '-l'], 'auto', ['ls', '-l']],
    [['ls -l'], 'auto', ['sh', '-c', 'ls -l']],
    [['echo', 'a b', '$HOME'], 'auto', ['echo', 'a b', '$HOME']],
    [['./run.sh'], 'auto', ['./run.sh']],
    [['/usr/bin/x-1.2_3+4,5:6@7^8'], 'auto', ['/usr/bin/x-1.2_3+4,5:6@7^8']],
    [['äöü'], 'auto', ['äöü']],
    [['ls -l'], 'never', ['ls -l']],
    [['a|b'], 'never', ['a|b']],
    [['ls'], 'always', ['sh', '-c', 'ls']],
    [['ls', '-l', 'a b'], 'always', ['sh', '-c', 'ls -l a b']],
    ...Array.from('|&;<>()$`"\'\\*?[#~=%!{} \t\n', (char): [string[], ShellMode, string[]] => [
      [`a${char}b`],
      'auto',
      ['sh', '-c', `a${char}b`],
    ]),
    ...Array.from('|&;<>()$`"\'\\*?[#~=%!{} \t\n', (char): [string[], ShellMode, string[]] => [
      ['echo', `a${char}b`],
      'auto',
      ['echo', `a${char}b`],
    ]),
  ]
  for (const [words, shell, argv] of rows) assert.deepEqual(commandArgv(words, shell), argv)
})

test('the words given are not the argv itself', () => {
  const words = ['a', 'b']
  assert.notEqual(commandArgv(words, 'auto'), words)
})

test('a 127 says what was not found, and hints at the shell where a word looks like a whole command line', () => {
  const plain = 'exit code 127: "mak", or what it started, was not found in image "alpine"; its ENTRYPOINT is not run'
  const hint = (line: string): string =>
    `${plain}; "${line}" looks like a command line: give it as the only word, and a shell runs it`
  const rows: [string[], ShellMode, string | undefined][] = [
    [['mak'], 'auto', plain],
    [['mak', 'test'], 'auto', plain],
    [['mak', 'a;b'], 'auto', plain],
    [['mak', 'a && b'], 'auto', hint('a && b')],
    [['mak', ' x '], 'auto', plain],
    [['mak', 'x y'], 'never', hint('x y')],
    // The shell has told it itself.
    [['mak x'], 'auto', undefined],
    [['mak'], 'always', undefined],
  ]
  for (const [words, shell, expected] of rows) assert.equal(notFoundHint(words, shell, 'alpine'), expected)
})
