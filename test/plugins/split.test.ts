import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { flags } from '../../plugins/flags.ts'
import { type SplitWords, split } from '../../plugins/split.ts'
import { readValues, toOclif } from '../../plugins/values.ts'

interface Row {
  words: string[]
  /** As `flag=value`. */
  settings?: string[]
  command: string[]
}

const rows: Row[] = [
  { words: [], command: [] },
  { words: ['echo', 'hi'], command: ['echo', 'hi'] },
  { words: ['echo', '-n', 'hi'], command: ['echo', '-n', 'hi'] },
  { words: ['--', 'echo'], command: ['echo'] },
  { words: ['--'], command: [] },
  { words: ['--', '--', 'a'], command: ['--', 'a'] },
  { words: ['--', '-n', 'a'], command: ['-n', 'a'] },
  { words: ['-'], command: ['-'] },
  { words: [''], command: [''] },
  { words: ['', '-i'], command: ['', '-i'] },
  { words: ['echo', '--', '-i', '--help'], command: ['echo', '--', '-i', '--help'] },
  {
    words: ['-n', 'dev', '--', 'echo', 'a', '-n', 'a'],
    settings: ['namespace=dev'],
    command: ['echo', 'a', '-n', 'a'],
  },
  { words: ['-n', 'dev', 'echo', '-n', 'dev'], settings: ['namespace=dev'], command: ['echo', '-n', 'dev'] },
  { words: ['-ndev', 'x'], settings: ['namespace=dev'], command: ['x'] },
  { words: ['-n=dev', 'x'], settings: ['namespace=dev'], command: ['x'] },
  { words: ['-n=', 'x'], settings: ['namespace='], command: ['x'] },
  { words: ['--namespace', '', 'x'], settings: ['namespace='], command: ['x'] },
  { words: ['--namespace=dev', 'x'], settings: ['namespace=dev'], command: ['x'] },
  { words: ['-it', 'sh'], settings: ['stdin=true', 'tty=true'], command: ['sh'] },
  { words: ['-itn', 'dev', 'sh'], settings: ['stdin=true', 'tty=true', 'namespace=dev'], command: ['sh'] },
  { words: ['-itndev', 'sh'], settings: ['stdin=true', 'tty=true', 'namespace=dev'], command: ['sh'] },
  { words: ['-it=false', 'sh'], settings: ['stdin=true', 'tty=false'], command: ['sh'] },
  { words: ['-i', 'false'], settings: ['stdin=true'], command: ['false'] },
  { words: ['--stdin=false', 'true'], settings: ['stdin=false'], command: ['true'] },
  { words: ['--stdin', 'true'], settings: ['stdin=true'], command: ['true'] },
  { words: ['-v', '6', 'x'], settings: ['v=1'], command: ['6', 'x'] },
  { words: ['-v=6', 'x'], settings: ['v=6'], command: ['x'] },
  { words: ['--v=6', 'x'], settings: ['v=6'], command: ['x'] },
  { words: ['--rm', 'never'], settings: ['rm=always'], command: ['never'] },
  { words: ['--rm=never', 'x'], settings: ['rm=never'], command: ['x'] },
  { words: ['--dry-run', 'x'], settings: ['dry-run=client'], command: ['x'] },
  { words: ['--env', 'X=-1', 'x'], settings: ['env=X=-1'], command: ['x'] },
  { words: ['--env=X=a=b', 'x'], settings: ['env=X=a=b'], command: ['x'] },
  { words: ['--env', 'X=a\nb', 'x'], settings: ['env=X=a\nb'], command: ['x'] },
  { words: ['--env=X=a\nb', 'x'], settings: ['env=X=a\nb'], command: ['x'] },
  { words: ['--workdir', '-x', 'x'], settings: ['workdir=-x'], command: ['x'] },
  { words: ['--image', '--help', 'x'], settings: ['image=--help'], command: ['x'] },
  { words: ['--image=--', 'x'], settings: ['image=--'], command: ['x'] },
  {
    words: ['--image=a', '-i', '--image=b', '--env', 'A=1', '--env', 'A=1', 'x'],
    settings: ['image=a', 'stdin=true', 'image=b', 'env=A=1', 'env=A=1'],
    command: ['x'],
  },
  { words: ['sh', '-c', 'echo "$@"', 'a b', ''], command: ['sh', '-c', 'echo "$@"', 'a b', ''] },
]

function show({ settings, command }: SplitWords) {
  return { settings: settings.map(({ flag, value }) => `${flag}=${value}`), command }
}

test('flags end at -- or at the first word that is none, and the rest is untouched', () => {
  for (const { words, settings = [], command } of rows) {
    assert.deepEqual(show(split(words, flags)), { settings, command }, JSON.stringify(words))
  }
})

test('a flag that cannot be is worded as kubectl words it', () => {
  const faults: [string[], string][] = [
    [['--foo', 'x'], 'unknown flag: --foo'],
    [['--foo=1', 'x'], 'unknown flag: --foo'],
    [['--no-stdin', 'x'], 'unknown flag: --no-stdin'],
    [['--stdi', 'x'], 'unknown flag: --stdi'],
    [['--constructor', 'x'], 'unknown flag: --constructor'],
    [['--__proto__', 'x'], 'unknown flag: --__proto__'],
    [['-z'], "unknown shorthand flag: 'z' in -z"],
    [['-itz'], "unknown shorthand flag: 'z' in -z"],
    [['-v6'], "unknown shorthand flag: '6' in -6"],
    [['-='], "unknown shorthand flag: '=' in -="],
    [['-é'], "unknown shorthand flag: 'é' in -é"],
    [['--image'], 'flag needs an argument: --image'],
    [['--image', '--', 'x'], 'flag needs an argument: --image'],
    [['-n'], "flag needs an argument: 'n' in -n"],
    [['-itn'], "flag needs an argument: 'n' in -n"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['---x'], 'bad flag syntax: ---x'],
  ]
  for (const [words, message] of faults) {
    assert.throws(() => split(words, flags), { name: 'UsageError', message }, JSON.stringify(words))
  }
})

test('whatever the command is, it comes out as it went in', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (command) => {
      assert.deepEqual(split(['-n', 'dev', '--', ...command], flags).command, command)
    }),
  )
})

test('oclif gets the last one of repeated single flags, and all of the others', () => {
  const { settings } = split(['--image=a', '-q', '--env=A=1', '--image=b', '--env=B=2', '-q=false', 'x'], flags)
  assert.deepEqual(toOclif(settings, flags), ['--env==A=1', '--image==b', '--env==B=2', '--quiet==false'])
})

test('a value is named with its flag when it cannot be read', () => {
  const faults: [string, string, string][] = [
    ['stdin', 'maybe', 'invalid argument "maybe" for "-i, --stdin" flag: must be true or false'],
    ['timeout', '-1s', 'invalid argument "-1s" for "--timeout" flag: must not be negative'],
    ['v', 'x', 'invalid argument "x" for "--v" flag: must be a whole number'],
    ['restart', 'Always', 'invalid argument "Always" for "--restart" flag: must be Never: a command runs once'],
    [
      'dry-run',
      'server',
      'invalid argument "server" for "--dry-run" flag: only the client can do it: use --dry-run=client',
    ],
    ['override-type', 'x', 'invalid argument "x" for "--override-type" flag: must be "merge", "strategic" or "json"'],
    ['rm', 'x', 'invalid argument "x" for "--rm" flag: must be true, false, always, on-success or never'],
  ]
  for (const [flag, text, message] of faults) {
    assert.throws(() => readValues({ [flag]: text }, flags), { name: 'UsageError', message })
  }
})
