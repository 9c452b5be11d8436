import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { full } from '../support/full.ts'
import { packed } from '../support/packed.ts'
import { extract, type Tar, tars } from '../support/tars.ts'
import { closeFolder, contentOf, fillWithTraps, linkOutside } from '../support/traps.ts'
import { manifest, temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 60_000 }

for (const tar of tars) {
  const isGnu = tar.name === 'GNU tar'
  // BusyBox sets no time of a link, and no mode of a folder that is there, unless it is root.
  const linkTimes = isGnu
  const closesFolders = isGnu || process.getuid?.() === 0

  suite(`${tar.name} extracts what we pack`, { skip: tar.skip, ...bounded }, () => {
    test('with every trap in it', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      if (closesFolders) closeFolder(tree.path)
      await using target = await temporaryFolder()
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
    })

    test('as somebody who is not root, a second time over the first', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      if (isGnu) closeFolder(tree.path)
      await using target = await temporaryFolder()
      if (process.getuid?.() === 0) chownSync(target.path, 65534, 65534)
      for (let time = 0; time < 2; time += 1) {
        await assertSame(tree.path, { tar, target: target.path, linkTimes, asNobody: true })
      }
    })

    test('a second time over the first', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      if (closesFolders) closeFolder(tree.path)
      await using target = await temporaryFolder()
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
    })

    test('and sets mode and mtime of folders that are there', { skip: !closesFolders && 'only root can' }, async () => {
      await using tree = await temporaryFolder()
      closeFolder(tree.path)
      await using target = await temporaryFolder()
      mkdirSync(join(target.path, 'closed'), { mode: 0o700 })
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
    })

    test('and leaves the root of the target alone', async () => {
      await using tree = await temporaryFolder()
      writeFileSync(join(tree.path, 'file'), 'x')
      chmodSync(tree.path, 0o711)
      await using target = await temporaryFolder()
      mkdirSync(join(target.path, 'root'), { mode: 0o750 })
      const { archive } = await packed(tree.path)
      await extract(tar, archive, { into: join(target.path, 'root') })
      assert.match(manifest(target.path)[0] ?? '', /^"root" folder 750 /)
    })

    test('with links that lead outside', async () => {
      await using tree = await temporaryFolder()
      linkOutside(tree.path)
      await using target = await temporaryFolder()
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
    })

    test('below a prefix', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      await using target = await temporaryFolder()
      const { archive } = await packed(tree.path, { prefix: 'stage/it/' })
      await extract(tar, archive, { into: target.path })
      assert.deepEqual(manifest(join(target.path, 'stage/it'), linkTimes), manifest(tree.path, linkTimes))
    })

    test('with nothing in it', async () => {
      await using tree = await temporaryFolder()
      const { archive } = await packed(tree.path)
      assert.deepEqual(archive, Buffer.alloc(1024))
      await using target = await temporaryFolder()
      await assertSame(tree.path, { tar, target: target.path, linkTimes })
    })

    test('whatever the tree', async () => {
      await fc.assert(
        fc.asyncProperty(trees, async (items) => {
          await using tree = await temporaryFolder()
          make(tree.path, items)
          await using target = await temporaryFolder()
          await assertSame(tree.path, { tar, target: target.path, linkTimes })
        }),
        { numRuns: full ? 500 : 20, interruptAfterTimeLimit: full ? 50_000 : 3_000 },
      )
    })
  })
}

interface Extraction {
  tar: Tar
  target: string
  linkTimes: boolean
  asNobody?: boolean
}

async function assertSame(tree: string, extraction: Extraction): Promise<void> {
  const { tar, target, linkTimes, asNobody = false } = extraction
  const { archive, report } = await packed(tree)
  await extract(tar, archive, { into: target, asNobody })
  const expected = manifest(tree, linkTimes)
  assert.deepEqual(manifest(target, linkTimes), expected)
  assert.equal(report.sent.size, expected.length)
  assert.equal(report.bytes, archive.length)
  assert.deepEqual([report.vanished, report.unreadable], [[], []])
}

type Item = { name: string; mtime: number } & (
  | { is: 'file'; size: number; mode: number }
  | { is: 'link'; target: string }
  | { is: 'folder'; mode: number; items: Item[] }
)

// Any bytes that a name may have, of any length that it may have.
const nameByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f)
const name = fc
  .oneof({ weight: 4, arbitrary: fc.array(nameByte, { minLength: 1, maxLength: 12 }) }, longName())
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .filter((text) => text !== '.' && text !== '..')
const mtime = fc.integer({ min: -100_000, max: 1_700_000_000 })
const mode = fc.integer({ min: 0, max: 0o377 }).map((bits) => bits | 0o400)

function longName(): fc.Arbitrary<number[]> {
  return fc
    .integer({ min: 90, max: 255 })
    .chain((length) => fc.array(nameByte, { minLength: length, maxLength: length }))
}

const trees = fc.letrec<{ items: Item[]; item: Item }>((tie) => ({
  items: fc.uniqueArray(tie('item'), { maxLength: 8, selector: (item) => item.name, depthIdentifier: 'tree' }),
  item: fc.oneof(
    { depthIdentifier: 'tree', maxDepth: 4 },
    fc.record({ is: fc.constant('file' as const), name, mtime, mode, size: fc.nat({ max: 300_000 }) }),
    fc.record({ is: fc.constant('link' as const), name, mtime: fc.constant(0), target: name }),
    fc.record({
      is: fc.constant('folder' as const),
      name,
      mtime,
      mode: mode.map((bits) => bits | 0o700),
      items: tie('items'),
    }),
  ),
})).items

function make(root: string, items: readonly Item[], folder = ''): void {
  for (const item of items) {
    const path = `${folder}/${item.name}`
    const local = Buffer.concat([Buffer.from(root), Buffer.from(path, 'latin1')])
    if (item.is === 'link') symlinkSync(Buffer.from(item.target, 'latin1'), local)
    if (item.is === 'file') writeFileSync(local, contentOf(item.name, item.size))
    if (item.is === 'folder') {
      mkdirSync(local)
      make(root, item.items, path)
    }
    if (item.is === 'link') continue
    chmodSync(local, item.mode)
    utimesSync(local, item.mtime, item.mtime)
  }
}
