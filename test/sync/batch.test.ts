import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Entry } from '../../src/sync/entry.ts'
import { type Changes, changesBetween } from '../../src/sync/local/changes.ts'
import { encodePath } from '../../src/sync/path.ts'
import { applying, removing, staging, wholeTree } from '../../src/sync/remote/batch.ts'
import { file, folder, link, treeOf } from '../support/entries.ts'

/** What is done to make the one listing the other. */
function commands(before: readonly Entry[], now: readonly Entry[], { force = false } = {}): readonly string[] {
  const tree = treeOf(...now)
  return applying(changesBetween(treeOf(...before), tree), tree, { force }).commands
}

const [a, f] = [folder('d'), file('d/f')]

for (const [title, before, now, expected] of [
  ['nothing', [], [], []],
  ['a new file at the root', [], [file('x')], ["mv -f -- 'stage/x' 'root/'"]],
  ['a link in the place of a file', [file('x')], [link('x')], ["mv -f -- 'stage/x' 'root/'"]],
  ['a new folder', [], [a], ["opened 'root/d'", 'unpack root', "chmod 755 'root/d'"]],
  [
    'a new file in a folder',
    [a],
    [a, f],
    ["opened 'root/d'", "mv -f -- 'stage/d/f' 'root/d/'", 'unpack root', "chmod 755 'root/d'"],
  ],
  [
    'a file that is gone from a folder',
    [a, f],
    [a],
    [
      "{ ! { real 'root/d'; } || { writable 'root/d' && rm -f -- 'root/d/f'; }; }",
      "opened 'root/d'",
      'unpack root',
      "chmod 755 'root/d'",
    ],
  ],
  [
    'a folder that is gone: what is in it first',
    [a, folder('d/e'), file('d/e/g'), f],
    [],
    [
      "{ ! { real 'root/d' && real 'root/d/e'; } || { writable 'root/d/e' && rm -f -- 'root/d/e/g'; }; }",
      "{ ! { real 'root/d'; } || { writable 'root/d' && rm -f -- 'root/d/f'; }; }",
      "{ { ! { real 'root/d'; } || { writable 'root/d' && rmdir -- 'root/d/e' 2>/dev/null; }; } || :; }",
      "{ rmdir -- 'root/d' 2>/dev/null || :; }",
    ],
  ],
  [
    'a file in the place of a folder',
    [a, f],
    [file('d')],
    [
      "away 'root/d'",
      "{ ! { real 'root/d'; } || { writable 'root/d' && rm -f -- 'root/d/f'; }; }",
      "mv -f -- 'stage/d' 'root/'",
    ],
  ],
  [
    'a folder in the place of a file',
    [file('d')],
    [a, f],
    ["away 'root/d'", "opened 'root/d'", "mv -f -- 'stage/d/f' 'root/d/'", 'unpack root', "chmod 755 'root/d'"],
  ],
] as [string, Entry[], Entry[], string[]][]) {
  test(`what is done for ${title}`, () => {
    assert.deepEqual(commands(before, now), expected)
  })
}

test('by force, what is in the way of a file goes first', () => {
  const now = [a, f, file('x')]
  assert.deepEqual(commands([a], now, { force: true }), [
    "{ ! { real 'root/d'; } || { writable 'root/d' && away 'root/d/f'; }; }",
    "away 'root/x'",
    ...commands([a], now),
  ])
})

test('by force too, a folder goes whose place a file takes that is yet to come', () => {
  const changes: Changes = { removed: [], put: [], replaced: new Set(['d']) }
  assert.deepEqual(applying(changes, treeOf(file('d')), { force: true }).commands, ["away 'root/d'"])
})

test('a name is one word, whatever is in it', () => {
  for (const [name, word] of [
    ['-rf', "'stage/-rf'"],
    ['*', "'stage/*'"],
    ["it's", "'stage/it'\\''s'"],
    ['a\nb', "'stage/a\nb'"],
    ['$(x) `y` \\', "'stage/$(x) `y` \\'"],
    ['\udcff', "'stage/\udcff'"],
  ] as const) {
    assert.deepEqual(commands([], [file(name)]), [`mv -f -- ${word} 'root/'`])
  }
})

test('folders get their times and modes last: the new ones, and those in which something has changed', () => {
  const tree = treeOf(
    folder('a'),
    folder('a/b'),
    file('a/b/new'),
    folder('c'),
    folder('d'),
    folder('e'),
    file('e/same'),
  )
  const before = treeOf(folder('a'), folder('a/b'), folder('c'), file('c/gone'), folder('e'), file('e/same'))
  const { archives, commands: all } = applying(changesBetween(before, tree), tree, { force: false })
  assert.deepEqual(
    archives.map((entries) => entries.map(({ path }) => path).toSorted()),
    [['a/b', 'c', 'd']],
  )
  assert.deepEqual(all.slice(-2), ['unpack root', "chmod 755 'root/d' 'root/c' 'root/a/b'"])
})

test('folders get their modes from the inside out, those alike by one command, in a whole tree the closed ones', () => {
  const tree = treeOf(
    folder('a', { mode: 0o555 }),
    folder('a/b', { mode: 0o555 }),
    folder('c', { mode: 0 }),
    folder('c/d', { mode: 0o755 }),
    folder('e', { mode: 0o300 }),
  )
  const [first, second, third] = ["chmod 300 'root/e'", "chmod 0 'root/c'", "chmod 555 'root/a/b' 'root/a'"]
  assert.deepEqual(wholeTree([...tree.values()]).commands.slice(2), [first, second, third])
  const { commands: all } = applying(changesBetween(treeOf(), tree), tree, { force: false })
  assert.deepEqual(all.slice(all.indexOf('unpack root') + 1), [first, "chmod 755 'root/c/d'", second, third])
})

test('what is not to be there after all goes, and nothing through a link', () => {
  assert.deepEqual(removing(['x', 'd/f']), [
    "rm -f -- 'root/x'",
    "{ ! { real 'root/d'; } || { writable 'root/d' && rm -f -- 'root/d/f'; }; }",
  ])
})

test('a whole tree goes right to its place, its folders once more; files are staged without them', () => {
  const entries = [folder('a'), file('a/b'), link('c')]
  const whole = wholeTree(entries)
  assert.deepEqual(whole.archives, [entries, [folder('a')]])
  assert.equal(whole.commands.filter((command) => command === 'unpack root').length, 2)
  const staged = staging([file('a/b'), link('c')])
  assert.deepEqual(staged.archives, [[file('a/b'), link('c')]])
  assert.equal(staged.commands.at(-1), 'unpack stage')
})

test('a long list is split into commands that Linux takes, with each name in one of them', () => {
  const names = Array.from({ length: 5_000 }, (_, n) => `${'\u65e5'.repeat(80)}${n}`)
  const put = names.map((name) => file(name))
  const removed = names.map((name) => file(`gone ${name}`))
  const changes: Changes = { put, removed, replaced: new Set() }
  for (const force of [false, true]) {
    const all = applying(changes, treeOf(...put), { force }).commands
    for (const command of all) assert.ok(encodePath(command).length < 128 * 1024)
    for (const [verb, prefix, wanted] of [
      ['mv -f', 'stage/', names],
      ['rm -f', 'root/gone ', names],
      ['away', 'root/', force ? names : []],
    ] as const) {
      const words = all.filter((command) => command.startsWith(`${verb}${verb === 'away' ? '' : ' --'} '`))
      const named = words.flatMap((command) => [...command.matchAll(/'([^']*)'/g)].map(([, word]) => word))
      const expected = wanted.map((name) => prefix + name)
      assert.ok(
        isDeepStrictEqual(
          named.filter((word) => word !== 'root/'),
          expected,
        ),
        `${verb}: ${named.length} names`,
      )
      assert.ok(words.length < 150)
    }
  }
})
