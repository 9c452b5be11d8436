import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBool } from '../../../plugins/values/bool.ts'
import { readDuration } from '../../../plugins/values/duration.ts'
import { environment, readEnv, readEnvFile } from '../../../plugins/values/environment.ts'
import { readPair, readPairs } from '../../../plugins/values/pairs.ts'
import { readPattern } from '../../../plugins/values/pattern.ts'
import { readSize } from '../../../plugins/values/size.ts'
import { readToleration } from '../../../plugins/values/toleration.ts'
import { readDryRun, readRemove } from '../../../plugins/values/words.ts'

test('a duration is as in Go, or bare seconds', () => {
  const rows: [string, number][] = [
    ['0', 0],
    ['0s', 0],
    ['5', 5_000],
    ['0.5', 500],
    ['1.5h', 5_400_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1h0m0.5s', 3_600_500],
    ['.5s', 500],
    ['1.s', 1_000],
    ['1s1s', 2_000],
    ['1.1s', 1_100],
    ['4.35s', 4_350],
    ['1ns', 1],
    ['1500us', 2],
    ['1500µs', 2],
  ]
  for (const [text, milliseconds] of rows) assert.equal(readDuration(text), milliseconds, text)
})

test('nonsense is no duration', () => {
  for (const text of [
    '',
    ' ',
    '-1',
    '-1s',
    '+1s',
    's',
    '1 s',
    '1d',
    '1S',
    '1h1',
    '1,5s',
    '1e3',
    'NaN',
    '.',
    '1s\n',
    '0x10',
  ]) {
    assert.throws(() => readDuration(text), { name: 'UsageError' }, text)
  }
})

test('a size counts in thousands, with an i in 1024s, and without a unit in bytes', () => {
  const rows: [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['500MB', 500_000_000],
    ['500M', 500_000_000],
    ['1.5GB', 1_500_000_000],
    ['.5kB', 500],
    ['1.KB', 1_000],
    ['1.1MB', 1_100_000],
    ['2TB', 2e12],
    ['12B', 12],
    ['200MiB', 209_715_200],
    ['1Gi', 1_073_741_824],
    ['1.5KiB', 1_536],
    ['0.7', 1],
  ]
  for (const [text, bytes] of rows) assert.equal(readSize(text), bytes, text)
})

test('nonsense is no size', () => {
  for (const text of [
    '',
    ' ',
    'MB',
    '-1',
    '-1MB',
    '+1',
    '1 MB',
    '1mb',
    '1m',
    '1PB',
    '1iB',
    '1,5GB',
    '1e3',
    '.',
    '1MB\n',
  ]) {
    assert.throws(() => readSize(text), { name: 'UsageError' }, text)
  }
})

test('a pattern that can match nothing is refused', () => {
  for (const text of ['src/**', '*.log', '!a', '/a/', 'a b', '\\#a']) assert.equal(readPattern(text), text)
  for (const text of ['', ' ', '!', '/', '#a', 'a\nb', './a', '../a', 'a//b', '[a', 'a\\']) {
    assert.throws(() => readPattern(text), { name: 'UsageError' }, text)
  }
})

test('a bool has the spellings of Go', () => {
  for (const text of ['1', 't', 'T', 'true', 'True', 'TRUE']) assert.equal(readBool(text), true)
  for (const text of ['0', 'f', 'F', 'false', 'False', 'FALSE']) assert.equal(readBool(text), false)
  for (const text of ['', 'yes', 'no', 'tRUE', 'on']) assert.throws(() => readBool(text), { name: 'UsageError' })
})

test('--rm and --dry-run take words, and bools as kubectl does', () => {
  assert.deepEqual(['true', 'false', 'on-success', 'never', '0'].map(readRemove), [
    'always',
    'never',
    'on-success',
    'never',
    'never',
  ])
  assert.deepEqual(['client', 'none', 'true', 'false'].map(readDryRun), ['client', 'none', 'client', 'none'])
})

test('pairs are split at commas where values can hold none', () => {
  assert.deepEqual(readPairs('cpu=1,memory=20Mi'), { cpu: '1', memory: '20Mi' })
  assert.deepEqual(readPairs('a='), { a: '' })
  assert.deepEqual(readPair('note={"a":1,"b":"x=y"}'), { note: '{"a":1,"b":"x=y"}' })
  assert.deepEqual(Object.entries(readPairs('__proto__=x')), [['__proto__', 'x']])
  for (const text of ['', 'a', '=b', 'a=b,', 'a=b,c'])
    assert.throws(() => readPairs(text), { name: 'UsageError' }, text)
})

test('a toleration is written as kubectl taint writes the taint', () => {
  assert.deepEqual(readToleration('gpu'), { key: 'gpu', operator: 'Exists' })
  assert.deepEqual(readToleration('gpu:NoSchedule'), { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' })
  assert.deepEqual(readToleration('a.b/c=d'), { key: 'a.b/c', operator: 'Equal', value: 'd' })
  assert.deepEqual(readToleration('a=:NoExecute'), { key: 'a', operator: 'Equal', value: '', effect: 'NoExecute' })
  for (const text of ['', ':NoSchedule', '=a', 'a:No', 'a:', 'a=b:NoSchedule:x']) {
    assert.throws(() => readToleration(text), { name: 'UsageError' }, text)
  }
})

test('a bare name is copied from here, and stays unset where it is unset here', () => {
  const words = ['A=1', 'B', 'C', 'A=2', 'D=', 'E=x=y'].map(readEnv)
  assert.deepEqual(environment(words, { B: 'here', E: 'here' }), [
    { name: 'A', value: '2' },
    { name: 'B', value: 'here' },
    { name: 'D', value: '' },
    { name: 'E', value: 'x=y' },
  ])
  for (const text of ['', '=x']) assert.throws(() => readEnv(text), { name: 'UsageError' })
})

test('an env file is read as docker reads it', () => {
  const text = '\uFEFF# comment\r\nA="quoted" # no comment\r\n\n  B=x\nC\nD= y \n'
  assert.deepEqual(readEnvFile(text, 'f'), [
    { name: 'A', value: '"quoted" # no comment' },
    { name: 'B', value: 'x' },
    { name: 'C' },
    { name: 'D', value: ' y ' },
  ])
  assert.throws(() => readEnvFile('A=1\nB C=1', 'f'), { message: 'variable "B C" on "f" line 2 contains white space' })
  assert.throws(() => readEnvFile('=1', 'f'), { message: 'no variable name on "f" line 1' })
})
