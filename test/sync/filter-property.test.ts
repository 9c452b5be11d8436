import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { byteText, pathOf } from '../../src/sync/byte-text.ts'
import { full } from '../support/full.ts'
import { git, temporaryFolder, withoutGitConfig } from '../support/git.ts'
import { foldersOf, type TreeCase, treeCase } from '../support/ignore-cases.ts'
import { sent } from '../support/sent.ts'

const home = temporaryFolder()
withoutGitConfig(home)

function write(path: string, text: string): void {
  mkdirSync(pathOf(dirname(path)), { recursive: true })
  writeFileSync(pathOf(path), pathOf(text))
}

/** What `git init` makes, without the time that it takes. */
function makeRepository(folder: string, fold: boolean): void {
  for (const part of ['objects', 'refs', 'info']) mkdirSync(pathOf(join(folder, '.git', part)), { recursive: true })
  write(join(folder, '.git/HEAD'), 'ref: refs/heads/main\n')
  write(join(folder, '.git/config'), `[core]\n\trepositoryFormatVersion = 0\n\tignoreCase = ${fold}\n`)
}

function makeTree(root: string, tree: TreeCase): void {
  const { fold, paths, ignoreFiles, exclude, global, tracked } = tree
  const repositories = tree.repositories.filter(isText)
  makeRepository(root, fold)
  for (const path of paths) {
    if (path.endsWith('/')) mkdirSync(pathOf(join(root, path)), { recursive: true })
    else write(join(root, path), '')
  }
  for (const [folder, text] of Object.entries(ignoreFiles)) write(join(root, folder, '.gitignore'), text)
  for (const folder of repositories) makeRepository(join(root, folder), fold)
  write(join(root, '.git/info/exclude'), exclude)
  write(join(home, '.config/git/ignore'), global)
  // git cannot add what is in another repository; with core.ignoreCase it takes files for others that are there as well.
  const added = fold ? [] : tracked.filter((path) => !foldersOf(path).some((folder) => repositories.includes(folder)))
  if (added.length > 0) git(root, ['update-index', '--add', '-z', '--stdin'], added.map((path) => `${path}\0`).join(''))
}

/** git cannot be started in a folder whose name is not UTF-8. */
function isText(path: string): boolean {
  return pathOf(path).equals(Buffer.from(pathOf(path).toString()))
}

/** The files that are git's, or that it would add, and those of the repositories that it finds below. */
function gitSends(folder: string): string[] {
  const listing = git(pathOf(folder).toString(), ['ls-files', '-z', '-c', '-o', '--exclude-standard'])
  const paths = new Set(listing.split('\0').filter((path) => path !== ''))
  return [...paths].flatMap((path) =>
    path.endsWith('/') ? gitSends(join(folder, path)).map((inner) => path + inner) : [path],
  )
}

test('of any tree what goes is what git has or would add', async () => {
  let ignored = 0
  await fc.assert(
    fc.asyncProperty(treeCase, async (tree) => {
      const root = mkdtempSync(join(home, 'tree-'))
      makeTree(root, tree)
      const expected = gitSends(root).toSorted()
      assert.deepEqual(await sent(root), expected)
      ignored += tree.paths.filter((path) => !path.endsWith('/') && !expected.includes(path)).length
      rmSync(root, { recursive: true })
    }),
    { numRuns: full ? 2000 : 40 },
  )
  assert.ok(ignored > 0, 'no file was ignored')
})

test('of any folder of a repository what goes is what git has or would add there', async () => {
  await fc.assert(
    fc.asyncProperty(treeCase, fc.nat(), async (tree, pick) => {
      const top = mkdtempSync(join(home, 'tree-'))
      makeTree(top, { ...tree, repositories: [] })
      const folders = tree.paths.flatMap(foldersOf)
      const folder = folders[pick % folders.length] ?? ''
      const place = join(top, pathOf(folder).toString())
      const isIgnored = folder !== '' && git(top, ['check-ignore', '--no-index', '-z', '--stdin'], `${folder}\0`) !== ''
      if (!isIgnored && isText(folder)) assert.deepEqual(await sent(place), gitSends(byteText(place)).toSorted())
      rmSync(top, { recursive: true })
    }),
    { numRuns: full ? 2000 : 20 },
  )
})
