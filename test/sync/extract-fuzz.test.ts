import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { emptyExtractReport } from '../../src/sync/extract/extract-report.ts'
import { hasDescriptors } from '../../src/sync/extract/open-folder.ts'
import { extract } from '../support/extract.ts'
import { full } from '../support/full.ts'
import { mutate } from '../support/mutations.ts'
import { type Random, randomOf } from '../support/random.ts'
import { archive, file, folder, hardLink, inPieces, link, long, pax, ustar } from '../support/tar-parts.ts'
import { tars } from '../support/tars.ts'
import { openAll, temporaryFolder, wholeManifest } from '../support/trees.ts'

const duration = full ? 60_000 : 2000
/** What none of these archives takes, however slow the machine. */
const longest = 10_000

test('a mutated archive writes nothing outside, and ends', { timeout: duration + 60_000 }, async () => {
  await using base = await temporaryFolder()
  const world = makeOutside(realpathSync(base.path))
  const before = wholeManifest(world.outside)
  const ends: Ends = { well: 0, badly: 0, put: 0, refused: 0 }
  const originals = await archives()
  const end = performance.now() + duration
  // The same ones where somebody waits, and others each night.
  for (let seed = full ? Date.now() : 1; performance.now() < end; seed += 1) {
    const start = performance.now()
    try {
      await extractMutated(originals, { root: world.root, random: randomOf(seed), ends })
      assert.deepEqual(wholeManifest(world.outside), before, 'it wrote outside')
      assert.deepEqual(readdirSync(base.path).toSorted(), ['outside', 'root'], 'it wrote beside the root')
      assert.ok(!openAll(world.root).some(({ name }) => name.startsWith('.kuberun-sync-')), 'it left what it staged')
      assert.ok(performance.now() - start < longest, 'it took long')
    } catch (cause) {
      throw new Error(`with the seed ${seed}`, { cause })
    }
  }
  // Otherwise it tried nothing.
  for (const [which, count] of Object.entries(ends)) assert.ok(count > 0, `nothing was ${which}`)
})

interface Ends {
  well: number
  badly: number
  put: number
  refused: number
}

function makeOutside(base: string): { root: string; outside: string } {
  const outside = join(base, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'secret')
  for (const path of [join(outside, 'secret'), outside]) utimesSync(path, 1_000_000_000, 1_000_000_000)
  return { root: join(base, 'root'), outside }
}

/** Archives with a bit of everything, which are right. */
async function archives(): Promise<Buffer[]> {
  await using tree = await temporaryFolder()
  mkdirSync(join(tree.path, 'dir'))
  writeFileSync(join(tree.path, 'dir/a'), 'x'.repeat(700))
  execFileSync('ln', [join(tree.path, 'dir/a'), join(tree.path, 'b')])
  symlinkSync('dir', join(tree.path, 'link'))
  writeFileSync(join(tree.path, 'n'.repeat(150)), 'long')
  const made = tars.flatMap(({ name, command: [program = '', ...rest], skip }) =>
    (skip === false ? (name === 'GNU tar' ? ['--format=gnu', '--format=posix'] : ['-o']) : []).map((word) =>
      execFileSync(program, [...rest, word, '-c', '-f', '-', '-C', tree.path, 'dir', 'b', 'link', 'n'.repeat(150)]),
    ),
  )
  const extended = [pax({ mtime: '1.5' }, 'g'), pax({ path: 'dir/p', size: '3', mtime: '-1.25' }), file('p', 'abc')]
  const links = [link('to', '../outside'), long('K', `${'t/'.repeat(90)}x`), link('far', 'x'), hardLink('hard', 'p')]
  return [...made, archive(folder('d/'), ...extended, ...links, file('u', 'x', { prefix: 'dir/pre', magic: ustar }))]
}

interface Try {
  root: string
  random: Random
  ends: Ends
}

async function extractMutated(originals: readonly Buffer[], { root, random, ends }: Try): Promise<void> {
  makeRoot(root)
  const report = emptyExtractReport()
  const bytes = mutate(random.one(originals), random)
  try {
    await extract(inPieces(bytes, 1 + random.below(5000)), {
      root,
      runId: 'fuzz',
      wants: () => 'put',
      report,
      foldsNames: random.below(4) === 0,
      byDescriptor: hasDescriptors && random.below(4) > 0,
      limits: { bytes: 10_000_000 },
    })
    ends.well += 1
  } catch (error) {
    if (!(error instanceof KuberunError)) throw error
    ends.badly += 1
  }
  ends.put += report.put.length
  ends.refused += report.refused.length
}

function makeRoot(root: string): void {
  mkdirSync(root, { recursive: true })
  openAll(root)
  rmSync(root, { recursive: true })
  mkdirSync(join(root, 'dir'), { recursive: true })
  symlinkSync('../outside', join(root, 'l'))
  writeFileSync(join(root, 'kept'), 'kept')
}
