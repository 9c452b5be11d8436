import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type ExtractReport, emptyExtractReport } from '../../src/sync/extract/extract-report.ts'
import { Extraction } from '../../src/sync/extract/extraction.ts'
import { hasDescriptors } from '../../src/sync/extract/open-folder.ts'
import { pathFault } from '../../src/sync/extract/path-fault.ts'
import { sweep } from '../../src/sync/extract/sweep.ts'
import { takeSnapshot } from '../../src/sync/local/snapshot.ts'
import { TarCount } from '../../src/sync/tar/tar-limits.ts'
import { readTar } from '../../src/sync/tar/tar-reader.ts'
import { type ExtractOptions, extract } from '../support/extract.ts'
import { notAsRoot } from '../support/not-root.ts'
import { packed } from '../support/packed.ts'
import { archive, file, folder, hardLink, header, inPieces, link, pax } from '../support/tar-parts.ts'
import { type Tar, tars } from '../support/tars.ts'
import { closeFolder, fillWithTraps, linkOutside } from '../support/traps.ts'
import { everything, manifest, temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 60_000 }
const ways = hasDescriptors ? [true, false] : [false]
const kibibyte = 1024

async function into(
  root: string,
  source: Buffer | AsyncIterable<Buffer>,
  options: Partial<ExtractOptions> = {},
): Promise<ExtractReport> {
  const report = emptyExtractReport()
  const stream = Buffer.isBuffer(source) ? inPieces(source) : source
  await extract(stream, { root: realpathSync(root), runId: 'test', wants: () => 'put', report, ...options })
  return report
}

function paths(report: ExtractReport): string[] {
  return report.put.map(({ path }) => path)
}

function byPath(one: { path: string }, other: { path: string }): number {
  return one.path < other.path ? -1 : 1
}

/** As lstat does. */
function fail(): never {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'lstat' })
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

/** Packs a folder as a pod would, all names with `./` before them. */
function packedBy(tar: Tar, root: string, words: string[] = []): Buffer {
  const [program = '', ...rest] = tar.command
  return execFileSync(program, [...rest, ...words, '-c', '-f', '-', '-C', root, '.'], { maxBuffer: 1e8, stdio: 'pipe' })
}

for (const byDescriptor of ways) {
  suite(`what was packed is extracted${byDescriptor ? '' : ', with paths alone'}`, bounded, () => {
    for (const tar of tars) {
      const formats = tar.name === 'GNU tar' ? [['--format=gnu'], ['--format=posix']] : [[]]
      for (const words of formats) {
        test(`by ${[tar.name, ...words].join(' ')}, with every trap in it`, { skip: tar.skip }, async () => {
          await using tree = await temporaryFolder()
          fillWithTraps(tree.path)
          linkOutside(tree.path)
          closeFolder(tree.path)
          // BusyBox writes no time before 1970.
          if (tar.name === 'BusyBox')
            execFileSync('rm', ['-r', ...['0', 'link 0', 'folder 0'].map((name) => join(tree.path, 'times', name))])
          await using target = await temporaryFolder()
          const bytes = packedBy(tar, tree.path, words)
          for (let time = 0; time < 2; time += 1) {
            const report = await into(target.path, bytes, { prefix: './', byDescriptor })
            assert.deepEqual(report.refused, [{ path: '', reason: 'it is the root itself' }])
            assert.deepEqual(manifest(target.path), manifest(tree.path))
          }
        })
      }
    }

    test('into folders that are closed and may be opened, which are closed afterwards', async () => {
      await using target = await temporaryFolder()
      const root = realpathSync(target.path)
      for (const path of ['closed/inner', 'locked']) mkdirSync(join(root, path), { recursive: true })
      for (const path of ['closed/gone', 'closed/inner/old', 'locked/old']) writeFileSync(join(root, path), 'old')
      const close = (uid?: number): void => {
        for (const [path, mode] of [
          ['closed/inner', 0o500],
          ['closed', 0o555],
          ['locked', 0],
          ['', 0o755],
        ] as const) {
          if (uid !== undefined) chownSync(join(root, path), uid, uid)
          chmodSync(join(root, path), mode)
        }
      }
      if (process.getuid?.() !== 0) close()
      const work = async (): Promise<void> => {
        const parts = ['closed/inner/old', 'closed/inner/new', 'locked/old'].map((path) => file(path, 'new'))
        const report = emptyExtractReport()
        using extraction = new Extraction({
          root,
          runId: 'test',
          report,
          count: new TarCount(),
          byDescriptor,
          mayOpen: () => true,
        })
        for await (const read of readTar(inPieces(archive(...parts))))
          await extraction.put(read, { as: read.entry.path })
        extraction.later('closed/gone', () => unlinkSync(extraction.folderToChange('closed/gone').at('gone')))
        await extraction.place()
        await extraction.finish()
        assert.deepEqual(report.refused, [])
      }
      await notAsRoot(work, close)
      assert.equal(statSync(join(root, 'locked')).mode & 0o777, 0)
      chmodSync(join(root, 'locked'), 0o755)
      const expected = ['closed" folder 555', 'closed/inner" folder 500', 'closed/inner/new" file 644 3']
      expected.push('closed/inner/old" file 644 3', 'locked" folder 755', 'locked/old" file 644 3')
      const found = manifest(root, false).map((line) => line.slice(1).replace(/ \d{9,}.*$/, ''))
      assert.deepEqual(found, expected)
    })

    test('by us, by somebody who is not root', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      linkOutside(tree.path)
      closeFolder(tree.path)
      const { archive: bytes } = await packed(tree.path)
      await using target = await temporaryFolder()
      const work = async (): Promise<void> => {
        for (let time = 0; time < 2; time += 1) {
          const { refused } = await into(target.path, bytes, { byDescriptor })
          assert.deepEqual(refused, [])
        }
      }
      await notAsRoot(work, (uid) => chownSync(target.path, uid, uid))
      assert.deepEqual(manifest(target.path), manifest(tree.path))
    })

    test('and reported as a snapshot finds it', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      await using target = await temporaryFolder()
      const { archive: bytes } = await packed(tree.path)
      const report = await into(target.path, bytes, { byDescriptor })
      const { entries } = await takeSnapshot(realpathSync(target.path), everything)
      const found = [...entries.values()].filter(({ path }) => path !== '')
      assert.deepEqual(report.put.map(({ entry }) => entry).toSorted(byPath), found.toSorted(byPath))
      assert.deepEqual(paths(report).toSorted(), found.map(({ path }) => path).toSorted())
    })

    test('with folders that the archive does not have', async () => {
      await using target = await temporaryFolder()
      await into(target.path, archive(file('a/b/c', 'x')), { byDescriptor })
      assert.equal(readFileSync(join(target.path, 'a/b/c'), 'utf8'), 'x')
    })
  })
}

suite('a file', bounded, () => {
  test('has the nanoseconds that a double has', async () => {
    await using target = await temporaryFolder()
    const times = [
      '1700000000.123456789',
      '1700000000.123457789',
      '-1.500000000',
      '0.000000001',
      '1700000000.000000000',
    ]
    const parts = times.flatMap((mtime, n) => [pax({ mtime }), file(`f${n}`)])
    const { put } = await into(target.path, archive(...parts))
    for (const [n, time] of times.entries()) {
      const { mtimeNs } = statSync(join(target.path, `f${n}`), { bigint: true })
      const exact = BigInt(time.replace('.', ''))
      assert.ok(mtimeNs - exact < 250n && exact - mtimeNs < 250n, `${mtimeNs} for ${exact}`)
      assert.ok(put[n]?.entry.mtime === mtimeNs)
    }
  })

  test('that is a hard link is a copy, with the same mode and time', async () => {
    await using target = await temporaryFolder()
    const original = file('dir/a', 'x'.repeat(200_000), { mode: '0000640', mtime: 1_234_567_890 })
    const report = await into(target.path, archive(original, hardLink('b', 'dir/a'), hardLink('c', 'b')))
    assert.deepEqual([paths(report), report.refused], [['dir/a', 'b', 'c'], []])
    const stats = ['dir/a', 'b', 'c'].map((path) => statSync(join(target.path, path)))
    assert.equal(new Set(stats.map(({ ino }) => ino)).size, 3)
    assert.ok(
      stats.every(({ nlink, mode, mtimeMs }) => nlink === 1 && mode === 0o100640 && mtimeMs === 1_234_567_890_000),
    )
    assert.ok(readFileSync(join(target.path, 'c')).equals(Buffer.alloc(200_000, 'x')))
  })

  test('is the old one or the new one, whole, to whoever looks', async () => {
    await using target = await temporaryFolder()
    writeFileSync(join(target.path, 'f'), 'old')
    const seen: string[] = []
    async function* watched(): AsyncGenerator<Buffer> {
      for await (const piece of inPieces(archive(file('f', 'n'.repeat(50_000))), 5000)) {
        yield piece
        seen.push(readFileSync(join(target.path, 'f'), 'utf8'))
      }
    }
    await into(target.path, watched())
    assert.deepEqual(new Set(seen), new Set(['old', 'n'.repeat(50_000)]))
  })

  test('is nobody else’s to read while it is not whole', async () => {
    await using target = await temporaryFolder()
    let mode: number | undefined
    async function* watched(): AsyncGenerator<Buffer> {
      const [first, second] = [archive(file('f', 'n'.repeat(5000))), 2000]
      yield first.subarray(0, second)
      const [name = ''] = readdirSync(target.path)
      assert.equal(name, '.kuberun-sync-test-0')
      mode = lstatSync(join(target.path, name)).mode
      yield first.subarray(second)
    }
    await into(target.path, watched(), { foldsNames: false })
    assert.equal(mode, 0o100600)
  })
})

suite('what is wanted', bounded, () => {
  test('is asked of each entry, and what is not is not touched', async () => {
    await using target = await temporaryFolder()
    writeFileSync(join(target.path, 'b'), 'mine')
    const asked: string[] = []
    const report = await into(target.path, archive(file('a'), file('b'), folder('d/'), file('d/c')), {
      wants: async ({ path }) => {
        asked.push(path)
        return path === 'b' || path === 'd' ? 'skip' : 'put'
      },
    })
    assert.deepEqual(asked, ['a', 'b', 'd', 'd/c'])
    assert.deepEqual([paths(report), report.refused], [['a', 'd/c'], []])
    assert.equal(readFileSync(join(target.path, 'b'), 'utf8'), 'mine')
  })

  test('may be wanted under another path, which a hard link to it finds', async () => {
    await using target = await temporaryFolder()
    writeFileSync(join(target.path, 'a'), 'mine')
    const report = await into(target.path, archive(file('a', 'theirs'), hardLink('b', 'a')), {
      wants: ({ path }) => (path === 'a' ? { as: 'a.remote-x7' } : 'put'),
    })
    assert.deepEqual(
      report.put.map(({ path, entry }) => [path, entry.path]),
      [
        ['a', 'a.remote-x7'],
        ['b', 'b'],
      ],
    )
    assert.equal(readFileSync(join(target.path, 'a'), 'utf8'), 'mine')
    for (const path of ['a.remote-x7', 'b']) assert.equal(readFileSync(join(target.path, path), 'utf8'), 'theirs')
  })

  test('is asked once more when the content is here', async () => {
    await using target = await temporaryFolder()
    const parts = [file('a', 'theirs'), file('b', 'theirs'), link('c', 'theirs'), link('d', 'theirs')]
    const report = await into(target.path, archive(...parts), {
      mayPlace: (path) => {
        assert.equal(existsSync(join(target.path, path)), false)
        return path === 'b' || path === 'c'
      },
    })
    assert.deepEqual([paths(report), report.refused], [['b', 'c'], []])
    assert.deepEqual(readdirSync(target.path).toSorted(), ['b', 'c'])
  })

  test('may be nothing, and then nothing is touched', async () => {
    await using target = await temporaryFolder()
    utimesSync(target.path, 1_000_000_000, 1_000_000_000)
    await into(target.path, archive(file('a'), folder('d/'), link('l', 'a')), { wants: () => 'skip' })
    assert.equal(statSync(target.path).mtimeMs, 1_000_000_000_000)
  })

  test('fails the extraction where it cannot be said, whatever the error', async () => {
    for (const options of [{ wants: fail }, { mayPlace: fail }]) {
      await using target = await temporaryFolder()
      await assert.rejects(into(target.path, archive(file('a'), file('b')), options), { code: 'ENOENT' })
      assert.deepEqual(readdirSync(target.path), [])
    }
  })
})

suite('an extraction that ends early', bounded, () => {
  const bytes = archive(file('a', 'new a'), folder('d/', { mode: '0000555' }), file('d/b', 'x'.repeat(100_000)))

  test('as the archive was cut leaves files whole, staging none and folders finished', async () => {
    for (let length = 0; length < bytes.length; length += 9000) {
      await using target = await temporaryFolder()
      writeFileSync(join(target.path, 'a'), 'old')
      const report = emptyExtractReport()
      await assert.rejects(into(target.path, bytes.subarray(0, length), { report }), { fault: 'cut' })
      const names = readdirSync(target.path, { recursive: true, encoding: 'utf8' })
      assert.ok(
        names.every((name) => ['a', 'd', 'd/b'].includes(name)),
        String(names),
      )
      assert.equal(readFileSync(join(target.path, 'a'), 'utf8'), paths(report).includes('a') ? 'new a' : 'old')
      if (names.includes('d')) assert.equal(statSync(join(target.path, 'd')).mode, 0o40555)
      if (names.includes('d/b')) assert.equal(statSync(join(target.path, 'd/b')).size, 100_000)
    }
  })

  test('by the signal, while the archive makes us wait', async () => {
    await using target = await temporaryFolder()
    const enough = new AbortController()
    async function* stuck(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 50_000)
      setTimeout(() => enough.abort(new Error('enough')), 10)
      await new Promise(() => {})
    }
    await assert.rejects(into(target.path, stuck(), { signal: enough.signal }), /enough/)
    assert.deepEqual(readdirSync(target.path, { recursive: true, encoding: 'utf8' }).toSorted(), ['a', 'd'])
  })

  test('as the stream failed says what it said', async () => {
    await using target = await temporaryFolder()
    const failure = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
    async function* failing(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 50_000)
      throw failure
    }
    await assert.rejects(into(target.path, failing()), failure)
    assert.deepEqual(readdirSync(target.path, { recursive: true, encoding: 'utf8' }).toSorted(), ['a', 'd'])
  })

  test('where the disk is full puts what still has a place, and takes nothing with it', {
    skip: !canMount() && 'nothing can be mounted here',
  }, async () => {
    await using target = await temporaryFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', target.path])
    try {
      writeFileSync(join(target.path, 'f'), 'old')
      const large = archive(file('a', 'x'), file('f', Buffer.alloc(400 * kibibyte, 'n')), file('z', 'x'))
      const report = await into(target.path, large)
      assert.deepEqual(paths(report), ['a', 'z'])
      assert.deepEqual(report.refused, [{ path: 'f', reason: 'no space is left' }])
      assert.deepEqual(readdirSync(target.path).toSorted(), ['a', 'f', 'z'])
      assert.equal(readFileSync(join(target.path, 'f'), 'utf8'), 'old')
      assert.ok(statfsSync(target.path).bavail > 50)
    } finally {
      execFileSync('umount', [target.path])
    }
  })

  test('as there is no root says so', async () => {
    await using target = await temporaryFolder()
    const work = extract(inPieces(bytes), {
      root: join(target.path, 'nowhere'),
      runId: 'test',
      wants: () => 'put',
      report: emptyExtractReport(),
    })
    await assert.rejects(work, { code: 'sync' })
  })

  test('leaves no descriptor open', { skip: !hasDescriptors && 'there is no /proc here' }, async () => {
    await using target = await temporaryFolder()
    await into(target.path, bytes)
    const before = openDescriptors()
    await assert.rejects(into(target.path, bytes.subarray(0, 9000)), { fault: 'cut' })
    await into(target.path, bytes)
    await assert.rejects(into(target.path, archive(file('a'), hardLink('b', 'a'), header({ size: 'x' }))))
    assert.equal(openDescriptors(), before)
  })

  test('by being killed, any time, leaves each file old or new', async () => {
    await using target = await temporaryFolder()
    const root = realpathSync(target.path)
    for (let round = 0; round < 6; round += 1) {
      for (let n = 0; n < 50; n += 1) writeFileSync(join(root, `f${n}`), 'old')
      const child = spawn(process.execPath, [
        fileURLToPath(new URL('../support/extract-forever.ts', import.meta.url)),
        root,
      ])
      await once(child.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
      child.kill('SIGKILL')
      await once(child, 'close')
      for (const name of readdirSync(root).filter((item) => item.startsWith('f'))) {
        const content = readFileSync(join(root, name), 'utf8')
        assert.ok(content === 'old' || content === 'n'.repeat(70_000), `${name} has ${content.length} bytes`)
      }
    }
    await sweep({ root, olderThan: -1 })
    assert.deepEqual(
      readdirSync(root).filter((name) => !name.startsWith('f')),
      [],
    )
  })
})

/** A root with some of them, in some folders. */
function fillWithLeftOvers(root: string): void {
  mkdirSync(join(root, 'd/e'), { recursive: true })
  mkdirSync(join(root, '.git'))
  mkdirSync(join(root, '.kuberun-sync-folder'))
  for (const path of [
    '.kuberun-sync-old-0',
    'd/.kuberun-sync-alive-7',
    'd/e/.kuberun-sync-a-b-12',
    '.kuberun-sync-notes.md',
    '.git/.kuberun-sync-old-1',
    'd/kept',
  ]) {
    writeFileSync(join(root, path), 'x')
    // mtime is what the pod says.
    utimesSync(join(root, path), 1, 1)
  }
  execFileSync('ln', ['-s', 'd', join(root, 'link')])
  execFileSync('ln', ['-s', 'nowhere', join(root, '.kuberun-sync-old-3')])
}

suite('left-over staging files', bounded, () => {
  test('stay where they are fresh, whatever their mtime', async () => {
    await using root = await temporaryFolder()
    fillWithLeftOvers(root.path)
    assert.deepEqual(await sweep({ root: realpathSync(root.path) }), [])
  })

  test('go where they are old, and nothing else', async () => {
    await using root = await temporaryFolder()
    fillWithLeftOvers(root.path)
    const asked: string[] = []
    const isAlive = (runId: string): boolean => {
      asked.push(runId)
      return runId === 'alive'
    }
    const removed = await sweep({ root: realpathSync(root.path), olderThan: -1, isAlive })
    assert.deepEqual(removed.toSorted(), ['.kuberun-sync-old-0', '.kuberun-sync-old-3', 'd/e/.kuberun-sync-a-b-12'])
    assert.deepEqual(asked.toSorted(), ['a-b', 'alive', 'old', 'old'])
    const left = readdirSync(root.path).toSorted()
    assert.deepEqual(left, ['.git', '.kuberun-sync-folder', '.kuberun-sync-notes.md', 'd', 'link'])
    assert.deepEqual(readdirSync(join(root.path, 'd')).toSorted(), ['.kuberun-sync-alive-7', 'e', 'kept'])
  })

  test('are looked for only in the folders that are named', async () => {
    await using root = await temporaryFolder()
    fillWithLeftOvers(root.path)
    const removed = await sweep({ root: realpathSync(root.path), olderThan: -1, folders: ['d', 'link', 'gone/e'] })
    assert.deepEqual(removed, ['d/.kuberun-sync-alive-7'])
  })

  test('stay where they cannot be removed', async () => {
    await using root = await temporaryFolder()
    fillWithLeftOvers(root.path)
    chmodSync(join(root.path, 'd'), 0o555)
    const work = (): Promise<string[]> => sweep({ root: realpathSync(root.path), olderThan: -1, folders: ['d'] })
    assert.deepEqual(await notAsRoot(work, (uid) => chownSync(root.path, uid, uid)), [])
  })
})

test('names that Windows cannot hold are refused there', () => {
  const bad = [
    'a:b',
    'C:\\x',
    '..\\x',
    'what?',
    'x*',
    'a|b',
    '"x"',
    'dot.',
    'space ',
    'con',
    'NUL.txt',
    'Com1',
    'lpt9.x',
    '\x01',
    '\udcff',
  ]
  for (const name of bad) {
    assert.match(pathFault(`dir/${name}`, 'win32') ?? '', /^Windows cannot have/, name)
    assert.equal(pathFault(`dir/${name}`, 'linux'), undefined, name)
  }
  for (const name of ['a', 'console', 'com', 'nul-x', 'ä', '.x'])
    assert.equal(pathFault(name, 'win32'), undefined, name)
})

function canMount(): boolean {
  if (process.platform !== 'linux') return false
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']).status === 0
}
