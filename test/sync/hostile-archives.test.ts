import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { type ExtractReport, emptyExtractReport } from '../../src/sync/extract/extract-report.ts'
import { ArchiveError } from '../../src/sync/tar/archive-error.ts'
import { extract } from '../support/extract.ts'
import { type Hostile, hostileArchives, makeWorld, type World } from '../support/hostile-archives.ts'
import { notAsRoot } from '../support/not-root.ts'
import { inPieces } from '../support/tar-parts.ts'
import { openAll, temporaryFolder, wholeManifest } from '../support/trees.ts'

const bounded = { timeout: 30_000 }

for (const byDescriptor of process.platform === 'linux' ? [true, false] : [false]) {
  suite(`a hostile archive${byDescriptor ? '' : ', with paths alone'}`, bounded, () => {
    for (const hostile of hostileArchives) {
      test(`with ${hostile.title} writes nothing outside, and is reported`, async () => {
        await using base = await temporaryFolder()
        const world = { root: join(realpathSync(base.path), 'root'), outside: join(realpathSync(base.path), 'outside') }
        makeWorld(world)
        hostile.before?.(world)
        const before = wholeManifest(world.outside)
        const { report, error } = await run(hostile, { world, byDescriptor })
        assert.deepEqual(wholeManifest(world.outside), before)
        assert.deepEqual(readdirSync(base.path).toSorted(), ['outside', 'root'])
        // Neither Node nor we could look, where a path is too long to be given as one.
        const long = join(world.root, 'a'.repeat(250))
        if (existsSync(long)) execFileSync('rm', ['-rf', long])
        assertClean(world.root, hostile.leaves === true)
        assertReported(hostile, { world, report, error })
      })
    }
  })
}

test('there are many of them, each with a title of its own', () => {
  assert.ok(hostileArchives.length >= 100, `${hostileArchives.length}`)
  assert.equal(new Set(hostileArchives.map(({ title }) => title)).size, hostileArchives.length)
})

interface Outcome {
  report: ExtractReport
  error?: unknown
}

async function run(
  hostile: Hostile,
  { world, byDescriptor }: { world: World; byDescriptor: boolean },
): Promise<Outcome> {
  const report = emptyExtractReport()
  const made = hostile.archive(world)
  const archive = Buffer.isBuffer(made) ? inPieces(made) : made
  const wants = hostile.wants?.(world)
  const work = (): Promise<void> =>
    extract(archive, {
      root: world.root,
      runId: 'test',
      wants: (entry) => wants?.(entry.path) ?? 'put',
      report,
      foldsNames: false,
      byDescriptor,
      ...hostile.options,
    })
  try {
    if (hostile.only === 'not root') await notAsRoot(work, (uid) => give(world.root, uid))
    else await work()
    return { report }
  } catch (error) {
    return { report, error }
  }
}

/** Nothing of ours is left, nothing has bits that make somebody else of who runs it, and the links are the links. */
function assertClean(root: string, leaves: boolean): void {
  for (const { name, mode } of openAll(root)) {
    assert.ok(leaves || !name.startsWith('.kuberun-sync-'), name)
    assert.equal(mode & 0o6000, 0, name)
  }
  for (const [path, target] of [
    ['link-out', '../outside'],
    ['link-in', 'dir'],
  ] as const) {
    assert.equal(readlinkSync(join(root, path)), target)
  }
}

function assertReported(hostile: Hostile, { world, report, error }: Outcome & { world: World }): void {
  const { fault, refused = fault === undefined ? [] : undefined, put } = hostile
  if (fault === undefined) assert.equal(error, undefined)
  else assert.equal(error instanceof ArchiveError ? error.fault : error, fault)
  if (refused !== undefined) {
    const expected = refused.map(([path]) => (path === 'ABSOLUTE' ? `${world.outside}/evil` : path))
    assert.deepEqual(
      report.refused.map(({ path }) => path),
      expected,
      JSON.stringify(report.refused),
    )
    for (const [index, [, reason]] of refused.entries()) assert.match(report.refused[index]?.reason ?? '', reason)
  }
  // oxlint-disable-next-line no-control-regex -- a reason is for a terminal
  for (const { reason } of report.refused) assert.doesNotMatch(reason, /[\u0000-\u001f\u007f-\u009f\udc80-\udcff]/)
  if (put !== undefined)
    assert.deepEqual(
      report.put
        .map(({ path }) => path)
        .filter((path) => path !== 'x')
        .toSorted(),
      put.filter((path) => path !== 'x').toSorted(),
    )
}

function give(folder: string, uid: number): void {
  chownSync(folder, uid, uid)
  for (const name of ['dir', 'dir/kept', 'kept']) chownSync(join(folder, name), uid, uid)
  chownSync(join(folder, '..'), uid, uid)
}
