import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import { type Changes, changesBetween, isEmpty } from '../../src/sync/local/changes.ts'
import { file, folder, link, treeOf } from '../support/entries.ts'

function change(before: Entry | undefined, now: Entry | undefined): Changes {
  return changesBetween(listing(before), listing(now))
}

function listing(entry: Entry | undefined) {
  return treeOf(...(entry === undefined ? [] : [entry]))
}

const kinds = { nothing: undefined, 'a file': file('x'), 'a link': link('x'), 'a folder': folder('x') }
type Kind = keyof typeof kinds

for (const [before, now, expected] of [
  ['nothing', 'nothing', ''],
  ['nothing', 'a file', 'put'],
  ['nothing', 'a link', 'put'],
  ['nothing', 'a folder', 'put'],
  ['a file', 'nothing', 'removed'],
  ['a file', 'a file', ''],
  ['a file', 'a link', 'put'],
  ['a file', 'a folder', 'put replaced'],
  ['a link', 'nothing', 'removed'],
  ['a link', 'a file', 'put'],
  ['a link', 'a link', ''],
  ['a link', 'a folder', 'put replaced'],
  ['a folder', 'nothing', 'removed'],
  ['a folder', 'a file', 'put replaced'],
  ['a folder', 'a link', 'put replaced'],
  ['a folder', 'a folder', ''],
] as [Kind, Kind, string][]) {
  test(`${before} that is now ${now} is ${expected === '' ? 'no change' : expected}`, () => {
    const changes = change(kinds[before], kinds[now])
    const words = [
      ...changes.removed.map((entry) => (entry === kinds[before] ? 'removed' : 'another')),
      ...changes.put.map((entry) => (entry === kinds[now] ? 'put' : 'another')),
      ...[...changes.replaced].map((path) => (path === 'x' ? 'replaced' : path)),
    ]
    assert.equal(words.join(' '), expected)
    assert.equal(isEmpty(changes), expected === '')
  })
}

test('what tells two states of one thing apart', () => {
  const rows: [string, Entry, Entry, boolean][] = [
    ['the size', file('x'), file('x', { size: 2 }), true],
    ['the mode', file('x'), file('x', { mode: 0o755 }), true],
    ['the mtime, by a nanosecond', file('x'), file('x', { mtime: 2n }), true],
    ['the ctime: the mtime was set back', file('x'), file('x', { ctime: 2n }), true],
    ['the inode: renamed into its place', file('x'), file('x', { ino: 2n }), true],
    ['where a link leads', link('x'), link('x', { target: 'elsewhere' }), true],
    ['not the mtime of a link', link('x'), link('x', { mtime: 2n }), false],
    ['the mode of a folder', folder('x'), folder('x', { mode: 0o700 }), true],
    ['not the mtime of a folder', folder('x'), folder('x', { mtime: 2n }), false],
  ]
  for (const [what, before, now, differs] of rows) {
    assert.deepEqual(change(before, now).put, differs ? [now] : [], what)
    assert.deepEqual(change(before, now).removed, [], what)
    assert.equal(change(before, now).replaced.size, 0, what)
  }
})

test('a folder that goes takes all that is in it along, and the other way round', () => {
  const tree = treeOf(folder('a'), folder('a/b'), file('a/b/c'), link('a/d'), file('e'))
  const rest = treeOf(file('e'))
  assert.deepEqual(paths(changesBetween(tree, rest)), { removed: ['a', 'a/b', 'a/b/c', 'a/d'], put: [], replaced: [] })
  assert.deepEqual(paths(changesBetween(rest, tree)), { removed: [], put: ['a', 'a/b', 'a/b/c', 'a/d'], replaced: [] })
})

test('a folder in whose place a file has come: what was in it is removed', () => {
  const before = treeOf(folder('a'), folder('a/b'), file('a/b/c'))
  const now = treeOf(file('a'))
  assert.deepEqual(paths(changesBetween(before, now)), { removed: ['a/b', 'a/b/c'], put: ['a'], replaced: ['a'] })
  assert.deepEqual(paths(changesBetween(now, before)), { removed: [], put: ['a', 'a/b', 'a/b/c'], replaced: ['a'] })
})

test('a path is no more than its characters: neither case, nor normal form, nor what it begins with', () => {
  const before = treeOf(file('a'), file('\u00e4'), file('-x'), file('a\nb'), file('\udcff'))
  const now = treeOf(file('A'), file('a\u0308'), file('-y'), file('a\nc'), file('\udcfe'))
  const { removed, put } = changesBetween(before, now)
  assert.deepEqual([removed, put], [[...before.values()], [...now.values()]])
  assert.ok(isEmpty(changesBetween(before, new Map(before))))
})

function paths({ removed, put, replaced }: Changes) {
  const [gone, come] = [removed, put].map((entries) => entries.map(({ path }) => path))
  return { removed: gone, put: come, replaced: [...replaced] }
}
