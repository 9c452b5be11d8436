import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatLimit } from '../../src/sync/byte-size.ts'
import type { Entry } from '../../src/sync/entry.ts'
import { overLimit, overLimitError, overLimitText } from '../../src/sync/plan/size-guard.ts'

const MB = 1_000_000

/** Files by path and size. */
function files(sizes: Readonly<Record<string, number>>): Entry[] {
  return Object.entries(sizes).map(([path, size]) => ({
    type: 'file',
    path,
    size,
    mode: 0o644,
    mtime: 0n,
    ctime: 0n,
    ino: 0n,
  }))
}

function culprits(sizes: Readonly<Record<string, number>>): string[] | undefined {
  return overLimit(files(sizes), 1)?.largest.map(({ path, size }) => `${path} ${size}`)
}

test('what is as large as the limit is not over it', () => {
  assert.equal(overLimit(files({ a: 3, 'b/c': 4 }), 7), undefined)
  assert.equal(overLimit(files({ a: 3, 'b/c': 4 }), 6)?.bytes, 7)
  assert.equal(overLimit([], 0), undefined)
  assert.equal(overLimit(files({ a: 0 }), 0), undefined)
})

test('folders and links weigh nothing', () => {
  const others: Entry[] = [
    { type: 'folder', path: 'a', mode: 0o755, mtime: 0n },
    { type: 'link', path: 'b', target: 'a', mtime: 0n },
  ]
  assert.equal(overLimit(others, 0), undefined)
  assert.deepEqual(overLimit([...others, ...files({ 'a/c': 5 })], 4)?.largest, [{ path: 'a/c', size: 5 }])
})

for (const [what, sizes, expected] of [
  ['the largest three, largest first', { 'a/x': 10, 'a/y': 10, b: 30, c: 25, d: 19 }, ['b 30', 'c 25', 'a 20']],
  ['nothing that hardly counts', { 'a/x': 60, 'a/y': 60, b: 4 }, ['a 120']],
  ['the folder that holds nearly all of another', { 'a/b/c/x': 40, 'a/b/c/y': 40, 'a/b/z': 10 }, ['a/b/c 80']],
  ['a folder whose parts are alike', { 'a/b/x': 79, 'a/c/y': 21 }, ['a 100']],
  ['a file that is nearly all of its folder', { 'a/dump': 95, 'a/b': 5, 'c/d': 20, 'c/e': 20 }, ['a/dump 95', 'c 40']],
  ['names in order where they are alike', { c: 5, a: 5, b: 5, d: 5 }, ['a 5', 'b 5', 'c 5']],
  ['no folder whose name only begins alike', { 'a/x': 50, 'ab/x': 45, 'a/y': 50 }, ['a 100', 'ab/x 45']],
] as const) {
  test(`named are: ${what}`, () => assert.deepEqual(culprits(sizes), expected))
}

test('the sentence says how much, the limit and what to exclude', () => {
  const sizes = {
    'node_modules/a/x': 200 * MB,
    'node_modules/b/y': 200 * MB,
    'data/1': 75 * MB,
    'data/2': 75 * MB,
    'src/a': 31 * MB,
    'src/b': 31 * MB,
  }
  const over = overLimit(files(sizes), 500 * MB)
  assert.ok(over)
  const text =
    '612 MB would go up, more than --max-upload=500MB; the largest: node_modules 400 MB, data 150 MB, src 62 MB'
  assert.equal(overLimitText(over), text)
  const { name, code, message, hint } = overLimitError(over)
  assert.deepEqual([name, code, message], ['UsageError', 'usage', text])
  assert.equal(hint, 'exclude them in .gitignore, .warpignore or by --exclude, or raise --max-upload')
})

test('the sentence never says that as much is more', () => {
  const over = overLimit(files({ 'a\n\udcff': 500 * MB + 1 }), 500 * MB)
  assert.ok(over)
  const text = '500,000,001 bytes would go up, more than --max-upload=500MB; the largest: a\\n\\xff 500 MB'
  assert.equal(overLimitText(over), text)
})

for (const [bytes, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1 kB'],
  [1_234, '1.23 kB'],
  [61_234_567, '61.2 MB'],
  [999_499, '999 kB'],
  [999_500, '1 MB'],
  [500_000_000, '500 MB'],
  [1_500_000_000, '1.5 GB'],
  [2 ** 53, '9.01 PB'],
  [3e18, '3000 PB'],
] as const) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(formatBytes(bytes), text))
}

for (const [bytes, text] of [
  [0, '0B'],
  [500_000_000, '500MB'],
  [1_500_000, '1500kB'],
  [536_870_912, '536870912B'],
  [2_000_000_000, '2GB'],
] as const) {
  test(`a limit of ${bytes} bytes is ${text}`, () => assert.equal(formatLimit(bytes), text))
}
