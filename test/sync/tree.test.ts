import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { LocalTree } from '../../src/sync/local/tree.ts'
import type { FilterOptions } from '../../src/sync/rules/filter.ts'
import { type Edit, edits, makeEdit } from '../support/edits.ts'
import { full } from '../support/full.ts'
import { temporaryFolder, withoutGitConfig } from '../support/git.ts'

withoutGitConfig(temporaryFolder())
// Rules files count without a git too; to start one takes long.
process.env['PATH'] = '/nowhere'

const bounded = { timeout: 60_000 }
const { signal } = new AbortController()
const plain: FilterOptions = { exclude: [], include: [], ignore: true }

/** A folder comes in the place of another, and on ext4 it and the folder in it have their inode numbers. */
const usedAgain: Edit[][] = [
  [{ does: 'write', path: 'a/b/x', text: '' }],
  [
    { does: 'remove', path: 'a' },
    { does: 'write', path: 'x/b/a', text: '' },
    { does: 'rename', path: 'x', to: 'a' },
  ],
]

/** What a tree knows, in an order of its own. */
function known(tree: LocalTree) {
  return {
    entries: [...tree.entries.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1)),
    folders: [...tree.folders.keys()].toSorted(),
  }
}

async function taken(root: string, options: FilterOptions): Promise<LocalTree> {
  const tree = new LocalTree(root, options, signal)
  await tree.retake()
  return tree
}

suite('a tree that is refreshed', () => {
  for (const [title, options] of [
    ['all of it', plain],
    ['what no rule keeps out', { ...plain, exclude: ['b/x', '*.o'] }],
    ['what is included', { ...plain, include: ['/a/**/x', 'y.o', '/b/a/'] }],
    ['what is included, without ignore files', { ...plain, include: ['x'], ignore: false }],
  ] as [string, FilterOptions][]) {
    test(`is what a new listing is, whatever has happened: ${title}`, bounded, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(edits, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
          async (batches) => {
            using root = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
            const tree = await taken(root.path, options)
            for (const batch of batches) {
              const changed = new Set(batch.flatMap((edit) => makeEdit(root.path, edit)))
              await tree.refresh(changed)
              assert.deepEqual(known(tree), known(await taken(root.path, options)))
            }
          },
        ),
        { examples: [[usedAgain]], ...(full ? { numRuns: 1_000, interruptAfterTimeLimit: 50_000 } : { numRuns: 12 }) },
      )
    })
  }

  for (const [title, before, edit] of [
    ['.gitignore that is itself ignored', ['.gitignore: .gitignore\nx\n', 'x: '], '.gitignore: .gitignore\n'],
    ['.gitignore that no --include takes', ['.gitignore: x\n', 'a/x: ', 'y: '], '.gitignore: y\n'],
    ['.warpignore deep inside', ['a/b/.warpignore: x\n', 'a/b/x: ', 'a/b/c/x: '], 'a/b/.warpignore: \n'],
  ] as [string, string[], string][]) {
    test(`notices a ${title}`, bounded, async () => {
      using root = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
      const options = { ...plain, include: title.includes('--include') ? ['x', 'y'] : [] }
      for (const line of before) put(root.path, line)
      const tree = await taken(root.path, options)
      const first = known(tree)
      await tree.refresh(new Set([put(root.path, edit)]))
      assert.deepEqual(known(tree), known(await taken(root.path, options)))
      assert.notDeepEqual(
        known(tree).entries.map(({ path }) => path),
        first.entries.map(({ path }) => path),
      )
    })
  }

  test('notices a repository that begins, and one that is gone', bounded, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
    for (const line of ['.gitignore: x\n', 'a/x: ', 'a/b/x: ']) put(root.path, line)
    const tree = await taken(root.path, plain)
    const edit: Edit = { does: 'repository', path: 'a' }
    for (const expected of [true, false]) {
      await tree.refresh(new Set(makeEdit(root.path, edit)))
      assert.equal(tree.entries.has('a/b/x'), expected)
      assert.deepEqual(known(tree), known(await taken(root.path, plain)))
    }
  })

  test('knows the time of a folder in which something has changed', bounded, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
    put(root.path, 'a/x: ')
    const tree = await taken(root.path, plain)
    utimesSync(join(root.path, 'a'), 1_000_000_000, 1_000_000_000)
    await tree.refresh(new Set(['a']))
    assert.equal(tree.entries.get('a')?.mtime, 1_000_000_000_000_000_000n)
  })

  test('fails where the root is gone, and is itself again with it', bounded, async () => {
    using parent = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
    const root = join(parent.path, 'root')
    put(root, 'x: ')
    const tree = await taken(root, plain)
    renameSync(root, `${root}.away`)
    await assert.rejects(tree.refresh(new Set([''])), { code: 'sync', message: `there is no folder "${root}"` })
    assert.ok(tree.entries.has('x'))
    renameSync(`${root}.away`, root)
    await tree.refresh(new Set(['']))
    assert.deepEqual([...tree.entries.keys()], ['x'])
  })

  test('is listed as a whole where there are many changes', bounded, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'kuberun-tree-'))
    for (let n = 0; n < 30; n += 1) put(root.path, `${n}/x: `)
    const tree = await taken(root.path, plain)
    for (let n = 0; n < 30; n += 1) put(root.path, `${n}/y: `)
    rmSync(join(root.path, '3'), { recursive: true })
    await tree.refresh(new Set(['', ...Array.from({ length: 30 }, (_, n) => String(n))]))
    assert.deepEqual(known(tree), known(await taken(root.path, plain)))
    assert.ok(statSync(join(root.path, '4/y')).isFile() && tree.entries.has('4/y') && !tree.entries.has('3'))
  })
})

/** Writes `path: text`. @returns the folder that it is in */
function put(root: string, line: string): string {
  const [, path = '', text = ''] = /^([^:]*): ([^]*)$/.exec(line) ?? []
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
  mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, path), text)
  return folder
}
