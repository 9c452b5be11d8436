import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { listFolder } from '../../src/sync/local/listing.ts'
import { type Snapshot, takeSnapshot } from '../../src/sync/local/snapshot.ts'
import type { FolderFilter, Verdict } from '../../src/sync/rules/filter.ts'
import { bytesOf, everything, temporaryFolder } from '../support/trees.ts'

const asRoot = process.getuid?.() === 0 && 'root may read everything'

/** A filter that knows the path of each name. */
function byPath(answer: (path: string, isFolder: boolean) => Verdict['answer'], folder = ''): FolderFilter {
  return {
    verdict: (name, isFolder) => ({ answer: answer(folder + name, isFolder), reason: 'test' }),
    enter: async (name) => byPath(answer, `${folder}${name}/`),
  }
}

function tree(root: string, files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), file)
  }
}

function pathsOf(snapshot: Snapshot): string[] {
  return [...snapshot.entries.keys()]
}

suite('a snapshot', () => {
  test('has folders before what is in them, sorted, and not the root', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['b/z', 'b/a/x', 'a', 'c', 'B'])
    const snapshot = await takeSnapshot(root.path, everything)
    assert.deepEqual(pathsOf(snapshot), ['B', 'a', 'b', 'b/a', 'b/a/x', 'b/z', 'c'])
    assert.deepEqual([...snapshot.folders.keys()], ['', 'b', 'b/a'])
    assert.deepEqual(snapshot.skipped, [])
  })

  test('says of a file all that shows a change', async () => {
    await using root = await temporaryFolder()
    const file = join(root.path, 'file')
    writeFileSync(file, 'hello')
    chmodSync(file, 0o6754)
    utimesSync(file, 1_000_000_000.25, 1_000_000_000.25)
    const { ino, ctimeNs } = statSync(file, { bigint: true })
    const { entries } = await takeSnapshot(root.path, everything)
    const expected = { type: 'file', path: 'file', size: 5, mode: 0o754, mtime: 1_000_000_000_250_000_000n }
    assert.deepEqual(entries.get('file'), { ...expected, ctime: ctimeNs, ino })
  })

  test('has links as they are, to nothing and to folders too', async () => {
    await using root = await temporaryFolder()
    mkdirSync(join(root.path, 'folder'))
    symlinkSync('folder', join(root.path, 'to-folder'))
    symlinkSync('nothing', join(root.path, 'to-nothing'))
    symlinkSync('itself', join(root.path, 'itself'))
    symlinkSync(bytesOf('\xe4'), join(root.path, 'to-bytes'))
    const { entries, folders } = await takeSnapshot(root.path, everything)
    const links = [...entries.values()].filter((entry) => entry.type === 'link')
    assert.deepEqual(
      links.map(({ path, target }) => [path, target]),
      [
        ['itself', 'itself'],
        ['to-bytes', '\udce4'],
        ['to-folder', 'folder'],
        ['to-nothing', 'nothing'],
      ],
    )
    assert.deepEqual([...folders.keys()], ['', 'folder'])
  })

  test('has names that are not UTF-8, and folders of such names', async () => {
    await using root = await temporaryFolder()
    const folder = Buffer.concat([Buffer.from(`${root.path}/`), bytesOf('d\xff')])
    mkdirSync(folder)
    writeFileSync(Buffer.concat([folder, bytesOf('/f\xfe')]), 'x')
    writeFileSync(join(root.path, '\ufffd'), 'x')
    assert.deepEqual(pathsOf(await takeSnapshot(root.path, everything)), ['d\udcff', 'd\udcff/f\udcfe', '\ufffd'])
  })

  test('leaves out what is no file, folder or link, and says so', async () => {
    await using root = await temporaryFolder()
    execFileSync('mkfifo', [join(root.path, 'fifo')])
    const server = createServer().listen(join(root.path, 'socket'))
    try {
      const { entries, skipped } = await takeSnapshot(root.path, everything)
      assert.equal(entries.size, 0)
      assert.deepEqual(skipped, [
        { path: 'fifo', why: 'a FIFO' },
        { path: 'socket', why: 'a socket' },
      ])
    } finally {
      server.close()
    }
  })

  test('says which folders it cannot read', { skip: asRoot }, async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['closed/a'])
    chmodSync(join(root.path, 'closed'), 0)
    const { entries, skipped } = await takeSnapshot(root.path, everything)
    assert.deepEqual([...entries.keys()], ['closed'])
    assert.deepEqual(skipped, [{ path: 'closed', why: 'EACCES' }])
  })

  test('of no folder fails as the file system does', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['file'])
    await assert.rejects(takeSnapshot(join(root.path, 'nothing'), everything), { code: 'ENOENT' })
    await assert.rejects(takeSnapshot(join(root.path, 'file'), everything), { code: 'ENOTDIR' })
  })

  test('of a folder that nobody may list fails', { skip: asRoot }, async () => {
    await using root = await temporaryFolder()
    chmodSync(root.path, 0)
    await assert.rejects(takeSnapshot(root.path, everything), { code: 'EACCES' })
  })

  test('ends with the reason of the signal', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/b'])
    const reason = new Error('enough')
    await assert.rejects(takeSnapshot(root.path, everything, { signal: AbortSignal.abort(reason) }), reason)
  })

  test('leaves the event loop its turns', async () => {
    await using root = await temporaryFolder()
    tree(
      root.path,
      Array.from({ length: 3000 }, (_, n) => `f${n}`),
    )
    let turns = 0
    const count = (): void => {
      turns += 1
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    await takeSnapshot(root.path, everything)
    clearImmediate(counting)
    assert.ok(turns >= 2, `${turns} turns`)
  })

  test('is the same on a slow file system', async () => {
    await using root = await temporaryFolder()
    tree(
      root.path,
      Array.from({ length: 600 }, (_, n) => `d${n % 7}/e${n % 3}/f${n}`),
    )
    symlinkSync('there', join(root.path, 'link'))
    const slow = await takeSnapshot(root.path, everything, { slowAfter: 0 })
    const quick = await takeSnapshot(root.path, everything, { slowAfter: Number.POSITIVE_INFINITY })
    assert.equal(slow.entries.size, 600 + 7 + 21 + 1)
    assert.deepEqual([...slow.entries], [...quick.entries])
  })
})

suite('the filter of a snapshot', () => {
  test('keeps out files and whole folders, unread', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a.log', 'a.ts', 'node_modules/x/y', 'src/b.log', 'src/b.ts'])
    const filter = byPath((path) => (/\.log$|node_modules/.test(path) ? 'out' : 'in'))
    const snapshot = await takeSnapshot(root.path, filter)
    assert.deepEqual(pathsOf(snapshot), ['a.ts', 'src', 'src/b.ts'])
    assert.deepEqual([...snapshot.folders.keys()], ['', 'src'])
  })

  test('has a folder go only where something below it does', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['none/deep/a.log', 'some/deep/a.ts', 'some/other/a.log'])
    const filter = byPath((path, isFolder) => (isFolder ? 'walk' : path.endsWith('.ts') ? 'in' : 'out'))
    const snapshot = await takeSnapshot(root.path, filter)
    assert.deepEqual(pathsOf(snapshot), ['some', 'some/deep', 'some/deep/a.ts'])
    // What comes to be there may go: they are to be watched.
    assert.deepEqual([...snapshot.folders.keys()], ['', 'none', 'none/deep', 'some', 'some/deep', 'some/other'])
  })

  test('is told the names in a folder, whatever becomes of them', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/.gitignore', 'a/b.log'])
    const seen: [string, string[]][] = []
    const filter: FolderFilter = {
      verdict: () => ({ answer: 'in', reason: '' }),
      async enter(name, entries) {
        seen.push([name, [...entries].toSorted()])
        return byPath(() => 'out')
      },
    }
    assert.deepEqual(pathsOf(await takeSnapshot(root.path, filter)), ['a'])
    assert.deepEqual(seen, [['a', ['.gitignore', 'b.log']]])
  })

  test('takes a link to a folder for no folder', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['folder/a'])
    symlinkSync('folder', join(root.path, 'link'))
    const filter = byPath((_, isFolder) => (isFolder ? 'out' : 'in'))
    assert.deepEqual(pathsOf(await takeSnapshot(root.path, filter)), ['link'])
  })

  test('may keep out a folder that nobody can read', { skip: asRoot }, async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['closed/a'])
    chmodSync(join(root.path, 'closed'), 0)
    const { skipped } = await takeSnapshot(
      root.path,
      byPath(() => 'out'),
    )
    assert.deepEqual(skipped, [])
  })
})

suite('one folder', () => {
  test('is listed without what is in its folders', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/b/c', 'a/d'])
    const listing = await listFolder({ root: root.path, path: 'a', within: everything })
    assert.deepEqual(
      listing?.entries.map(({ path, type }) => [path, type]),
      [
        ['a/b', 'folder'],
        ['a/d', 'file'],
      ],
    )
  })

  test('has the filter of now', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/b', 'a/ignore'])
    const filter: FolderFilter = {
      ...everything,
      enter: async (_, entries) => byPath(() => (entries.has('ignore') ? 'out' : 'in')),
    }
    const place = { root: root.path, path: 'a', within: filter }
    assert.deepEqual((await listFolder(place))?.entries, [])
    rmSync(join(root.path, 'a/ignore'))
    assert.equal((await listFolder(place))?.entries.length, 1)
  })

  test('tells its own mode and mtime, of now, but not those of the root', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/b'])
    chmodSync(join(root.path, 'a'), 0o700)
    utimesSync(join(root.path, 'a'), 1_000_000_000, 1_000_000_000)
    const { own } = (await listFolder({ root: root.path, path: 'a', within: everything })) ?? {}
    assert.partialDeepStrictEqual(own, { type: 'folder', path: 'a', mode: 0o700, mtime: 1_000_000_000_000_000_000n })
    assert.equal((await listFolder({ root: root.path, path: '', within: everything }))?.own, undefined)
  })

  test('that vanished is not there', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['file'])
    assert.equal(await listFolder({ root: root.path, path: 'gone', within: everything }), undefined)
    assert.equal(await listFolder({ root: root.path, path: 'file', within: everything }), undefined)
  })

  test('can be walked alone', async () => {
    await using root = await temporaryFolder()
    tree(root.path, ['a/b/c/d', 'a/e', 'f'])
    const { folders } = await takeSnapshot(root.path, everything)
    const within = folders.get('a') ?? everything
    const snapshot = await takeSnapshot(root.path, within, { under: 'a/b' })
    assert.deepEqual(pathsOf(snapshot), ['a/b/c', 'a/b/c/d'])
    assert.deepEqual([...snapshot.folders.keys()], ['a/b', 'a/b/c'])
    renameSync(join(root.path, 'a'), join(root.path, 'elsewhere'))
    assert.deepEqual(pathsOf(await takeSnapshot(root.path, within, { under: 'a/b' })), [])
  })
})
