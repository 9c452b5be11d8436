import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import { pack } from '../../src/sync/tar/archive.ts'
import { emptyReport } from '../../src/sync/tar/archive-report.ts'
import { until } from '../support/events.ts'
import { entriesOf, packed } from '../support/packed.ts'
import { extract, tars } from '../support/tars.ts'
import { contentOf } from '../support/traps.ts'
import { manifest, temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 20_000 }
const mebibyte = 1024 * 1024
const asRoot = process.getuid?.() === 0 && 'root may read everything'
const noDescriptors = !existsSync('/proc/self/fd') && 'there is no /proc here'

/** The descriptors that are open below a folder. */
function descriptors(root: string): string[] {
  const links = execFileSync(
    'readlink',
    readdirSync('/proc/self/fd').map((fd) => `/proc/${process.pid}/fd/${fd}`),
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  return links.split('\n').filter((path) => path.startsWith(root))
}

function fill(root: string, files: Record<string, number>): void {
  for (const [path, size] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), contentOf(path, size))
  }
}

/** Waits until a file's last change is so long ago that another one shows. */
async function settled(root: string): Promise<void> {
  const changes = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(
    (path) => lstatSync(join(root, path)).ctimeMs,
  )
  await until(() => Date.now() - Math.max(...changes, 0) > 30)
}

interface Header {
  name: string
  type: string
  size: number
}

/** The headers of an archive with short names. */
function headersOf(archive: Buffer): Header[] {
  const headers: Header[] = []
  for (let at = 0; archive[at] !== 0; ) {
    const text = (from: number, to: number): string =>
      archive.toString('latin1', at + from, at + to).replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 136), 8)
    assert.ok(size >= 0, `a header at ${at}`)
    headers.push({ name: text(0, 100), type: text(156, 157), size })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return headers
}

/** Packs a file of 4 MiB between two small ones, and changes it when its first part is out. */
async function packWhile(root: string, change: (file: string) => void): ReturnType<typeof packed> {
  fill(root, { a: 5, large: 4 * mebibyte, z: 7 })
  utimesSync(join(root, 'large'), 1_000_000_000, 1_000_000_000)
  await settled(root)
  const onBlock = (_: Buffer, index: number): void => {
    if (index === 0) change(join(root, 'large'))
  }
  const result = await packed(root, { onBlock })
  const headers = headersOf(result.archive).map(({ name, size }) => [name, size])
  assert.deepEqual(headers, [
    ['a', 5],
    ['large', 4 * mebibyte],
    ['z', 7],
  ])
  return result
}

suite('an archive', bounded, () => {
  test('has folders open, then files and links in their order, then folders from the inside out', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { 'b/c/f': 1, 'a/f': 1 })
    symlinkSync('f', join(root.path, 'a/l'))
    const { archive } = await packed(root.path)
    const names = headersOf(archive).map(({ name, type }) => `${type} ${name}`)
    const before = ['5 a/', '5 b/', '5 b/c/']
    assert.deepEqual(names, [...before, '0 a/f', '2 a/l', '0 b/c/f', ...before.toReversed()])
  })

  test('ends with two blocks of zeros', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { f: 3 })
    const { archive } = await packed(root.path)
    assert.equal(archive.length, 512 + 512 + 1024)
    assert.deepEqual(archive.subarray(-1024), Buffer.alloc(1024))
  })

  test('comes in Buffers of 256 KiB, of small files and of large ones', async () => {
    await using root = await temporaryFolder()
    const small = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`s${n}`, 1000 + n]))
    fill(root.path, { large: 3 * mebibyte + 5, ...small })
    const { blocks, archive, report } = await packed(root.path)
    assert.ok(blocks.length > 14)
    assert.ok(blocks.slice(0, -1).every(({ length }) => length === 256 * 1024))
    assert.equal(report.bytes, archive.length)
  })

  test('leaves out an entry for the root', async () => {
    await using root = await temporaryFolder()
    const entries: Entry[] = ['', '.'].map((path) => ({ type: 'folder', path, mode: 0o755, mtime: 0n }))
    const { archive, report } = await packed(root.path, { entries })
    assert.deepEqual(archive, Buffer.alloc(1024))
    assert.equal(report.sent.size, 0)
  })

  test('is the same on a slow file system', async () => {
    await using root = await temporaryFolder()
    const small = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`d${n % 5}/f${n}`, (n * 791) % 70_000]))
    fill(root.path, { ...small, 'd0/large': mebibyte, 'd1/large': mebibyte, 'd1/other': 2 * mebibyte })
    await settled(root.path)
    const quick = await packed(root.path, { slowAfter: Number.POSITIVE_INFINITY })
    const slow = await packed(root.path, { slowAfter: 0 })
    assert.ok(slow.archive.equals(quick.archive))
    assert.deepEqual(slow.report, quick.report)
    assert.equal(slow.report.sent.size, 508)
    assert.deepEqual(slow.report.changed, [])
  })

  test('leaves the event loop a turn before each Buffer', async () => {
    await using root = await temporaryFolder()
    fill(root.path, Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, 60_000])))
    let turns = 0
    const count = (): void => {
      turns += 1
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    const { blocks } = await packed(root.path)
    clearImmediate(counting)
    assert.ok(blocks.length >= 9 && turns >= blocks.length, `${turns} turns, ${blocks.length} Buffers`)
  })

  test('reports files as they were when they were opened', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { f: 10 })
    const entries = await entriesOf(root.path)
    writeFileSync(join(root.path, 'f'), 'longer than before')
    chmodSync(join(root.path, 'f'), 0o4600)
    utimesSync(join(root.path, 'f'), 1_000_000_000, 1_000_000_000)
    await settled(root.path)
    const { report } = await packed(root.path, { entries })
    const { ctimeNs: ctime, ino } = statSync(join(root.path, 'f'), { bigint: true })
    const sent = { type: 'file', path: 'f', size: 18, mode: 0o600, mtime: 1_000_000_000_000_000_000n, ctime, ino }
    assert.deepEqual(report.sent.get('f'), sent)
    assert.deepEqual(report.changed, [])
  })
})

suite('a file that changes', bounded, () => {
  test('not at all is not sent again', async () => {
    await using root = await temporaryFolder()
    const { report } = await packWhile(root.path, () => {})
    assert.deepEqual(report.changed, [])
  })

  test('by growing is cut where it ended, and to be sent again', async () => {
    await using root = await temporaryFolder()
    const { report, archive } = await packWhile(root.path, (file) => appendFileSync(file, Buffer.alloc(mebibyte, 'x')))
    assert.deepEqual(report.changed, ['large'])
    assert.ok(archive.subarray(1536, 1536 + 4 * mebibyte).equals(contentOf('large', 4 * mebibyte)))
  })

  test('by shrinking is filled up with zeros, and to be sent again', async () => {
    await using root = await temporaryFolder()
    const { report, archive } = await packWhile(root.path, (file) => truncateSync(file, 2 * mebibyte))
    assert.deepEqual(report.changed, ['large'])
    const content = archive.subarray(1536, 1536 + 4 * mebibyte)
    assert.ok(content.subarray(0, 2 * mebibyte).equals(contentOf('large', 2 * mebibyte)))
    assert.ok(content.subarray(2 * mebibyte).equals(Buffer.alloc(2 * mebibyte)))
  })

  test('in place, its mtime set back, is to be sent again', async () => {
    await using root = await temporaryFolder()
    const { report } = await packWhile(root.path, (file) => {
      writeFileSync(file, Buffer.alloc(4 * mebibyte, 'y'))
      utimesSync(file, 1_000_000_000, 1_000_000_000)
    })
    assert.deepEqual(report.changed, ['large'])
  })

  test('by vanishing while it is read is still whole', async () => {
    await using root = await temporaryFolder()
    const { archive } = await packWhile(root.path, (file) => rmSync(file))
    assert.ok(archive.subarray(1536, 1536 + 4 * mebibyte).equals(contentOf('large', 4 * mebibyte)))
  })

  test('just before it is opened is to be sent again', async () => {
    await using root = await temporaryFolder()
    // A busy machine may stop us between the two.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      fill(root.path, { f: 5 })
      const { report } = await packed(root.path)
      if (report.changed.length > 0) return
    }
    assert.fail('it was never found to be fresh')
  })

  test('may be one that was listed as empty', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { f: 0 })
    const entries = await entriesOf(root.path)
    fill(root.path, { f: 600 })
    const { archive } = await packed(root.path, { entries })
    assert.deepEqual(headersOf(archive), [{ name: 'f', type: '0', size: 600 }])
  })
})

suite('a file that is no longer there', bounded, () => {
  const replacements: [title: string, replace: (path: string) => void][] = [
    ['vanished', () => {}],
    ['became a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['became a link to a file', (path) => symlinkSync('other', path)],
    ['became a folder', (path) => mkdirSync(path)],
  ]
  for (const [title, replace] of replacements) {
    for (const slowAfter of [0, Number.POSITIVE_INFINITY]) {
      test(`as it ${title} is left out, and said${slowAfter === 0 ? ', by the thread pool' : ''}`, async () => {
        await using root = await temporaryFolder()
        fill(root.path, { a: 1, f: 5, other: 3 })
        const entries = await entriesOf(root.path)
        rmSync(join(root.path, 'f'))
        replace(join(root.path, 'f'))
        const { archive, report } = await packed(root.path, { entries, slowAfter })
        assert.deepEqual(
          headersOf(archive).map(({ name }) => name),
          ['a', 'other'],
        )
        assert.deepEqual(report.vanished, ['f'])
        assert.deepEqual([...report.sent.keys()], ['a', 'other'])
        assert.deepEqual(report.unreadable, [])
      })
    }
  }

  test('as it became a socket is left out, and said', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { f: 5 })
    const entries = await entriesOf(root.path)
    rmSync(join(root.path, 'f'))
    const server = createServer().listen(join(root.path, 'f'))
    try {
      assert.deepEqual((await packed(root.path, { entries })).report.vanished, ['f'])
    } finally {
      server.close()
    }
  })

  test('with its folder is left out, and said', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { 'd/f': 5 })
    const entries = await entriesOf(root.path)
    renameSync(join(root.path, 'd'), join(root.path, 'e'))
    writeFileSync(join(root.path, 'd'), 'a file now')
    assert.deepEqual((await packed(root.path, { entries })).report.vanished, ['d/f'])
  })
})

suite('a file that cannot be read', bounded, () => {
  test('is left out, and said', { skip: asRoot }, async () => {
    await using root = await temporaryFolder()
    fill(root.path, { a: 1, closed: 5, z: 1 })
    chmodSync(join(root.path, 'closed'), 0)
    const { report } = await packed(root.path)
    assert.deepEqual(report.unreadable, [{ path: 'closed', code: 'EACCES', isBroken: false }])
    assert.deepEqual([...report.sent.keys()], ['a', 'z'])
  })

  // Its size says 4096 and it has a few bytes.
  const lies = '/sys/kernel/mm/transparent_hugepage/enabled'
  test('to its size is left out, and said', { skip: !existsSync(lies) && 'there is no such file here' }, async () => {
    const [, root = '', path = ''] = /^(.*)\/(.*)$/.exec(lies) ?? []
    const entries = (await entriesOf(root)).filter((entry) => entry.path === path)
    assert.equal(entries.length, 1)
    const { report, archive } = await packed(root, { entries })
    assert.deepEqual(report.unreadable, [{ path, code: 'EIO', isBroken: false }])
    assert.deepEqual(archive, Buffer.alloc(1024))
  })
})

suite('an archive that is not wanted any more', bounded, () => {
  for (const slowAfter of [0, Number.POSITIVE_INFINITY]) {
    const pool = slowAfter === 0 ? ', by the thread pool' : ''

    test(`leaves no descriptor open${pool}`, { skip: noDescriptors }, async () => {
      await using root = await temporaryFolder()
      fill(root.path, Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, mebibyte])))
      const entries = await entriesOf(root.path)
      let seen = 0
      for await (const _ of pack({ root: root.path, entries, report: emptyReport(), slowAfter })) {
        seen = descriptors(root.path).length
        break
      }
      assert.ok(seen > 0, 'it was open while it was read')
      assert.deepEqual(descriptors(root.path), [])
    })

    test(`ends with the reason of the signal, and leaves no descriptor open${pool}`, {
      skip: noDescriptors,
    }, async () => {
      await using root = await temporaryFolder()
      fill(root.path, Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, mebibyte])))
      const entries = await entriesOf(root.path)
      const enough = new AbortController()
      const reason = new Error('enough')
      const { signal } = enough
      await assert.rejects(async () => {
        for await (const _ of pack({ root: root.path, entries, report: emptyReport(), slowAfter, signal })) {
          enough.abort(reason)
        }
      }, reason)
      assert.deepEqual(descriptors(root.path), [])
    })
  }

  test('before it began reads nothing', async () => {
    await using root = await temporaryFolder()
    fill(root.path, { f: 5 })
    const report = emptyReport()
    const entries = await entriesOf(root.path)
    const archive = pack({ root: root.path, entries, report, signal: AbortSignal.abort(new Error('enough')) })
    await assert.rejects(archive.next(), /enough/)
    assert.equal(report.sent.size, 0)
  })
})

test('a sparse file of more than 8 GiB has a header that says so', bounded, async () => {
  await using root = await temporaryFolder()
  writeFileSync(join(root.path, 'sparse'), '')
  truncateSync(join(root.path, 'sparse'), 8 * 1024 ** 3 + 1)
  const entries = await entriesOf(root.path)
  for await (const block of pack({ root: root.path, entries, report: emptyReport() })) {
    assert.equal(block.toString('hex', 124, 136), '800000000000000200000001')
    break
  }
})

for (const tar of tars) {
  test(`${tar.name} extracts an archive whose files changed meanwhile`, { skip: tar.skip, ...bounded }, async () => {
    await using root = await temporaryFolder()
    fill(root.path, { a: 5, large: 4 * mebibyte, m: 9, z: 7 })
    const onBlock = (_: Buffer, index: number): void => {
      if (index > 0) return
      truncateSync(join(root.path, 'large'), mebibyte)
      rmSync(join(root.path, 'm'))
    }
    const { archive, report } = await packed(root.path, { onBlock })
    assert.deepEqual(report.vanished, ['m'])
    await using target = await temporaryFolder()
    await extract(tar, archive, { into: target.path })
    assert.deepEqual(
      manifest(target.path).map((line) => line.split(' ').slice(0, 4).join(' ')),
      ['"a" file 644 5', `"large" file 644 ${4 * mebibyte}`, '"z" file 644 7'],
    )
  })
}
