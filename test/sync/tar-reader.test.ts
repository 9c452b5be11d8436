import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ArchiveError, type ArchiveFault } from '../../src/sync/tar/archive-error.ts'
import type { TarEntry } from '../../src/sync/tar/tar-entry.ts'
import type { TarLimits } from '../../src/sync/tar/tar-limits.ts'
import { readTar, type TarReaderOptions } from '../../src/sync/tar/tar-reader.ts'
import {
  archive,
  binary,
  end,
  file,
  folder,
  hardLink,
  header,
  inPieces,
  link,
  long,
  pax,
  paxRecord,
  paxText,
  ustar,
  withChecksum,
} from '../support/tar-parts.ts'
import { tars } from '../support/tars.ts'
import { bytesOf, temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 20_000 }
const second = 1_000_000_000n

interface Read extends TarEntry {
  content: string
}

async function readAll(source: AsyncIterable<Buffer>, options: TarReaderOptions = {}): Promise<Read[]> {
  const all: Read[] = []
  for await (const { entry, content } of readTar(source, options)) {
    const pieces: Buffer[] = []
    for await (const piece of content) pieces.push(Buffer.from(piece))
    all.push({ ...entry, content: Buffer.concat(pieces).toString('latin1') })
  }
  return all
}

function read(bytes: Buffer, options: TarReaderOptions = {}): Promise<Read[]> {
  return readAll(inPieces(bytes), options)
}

async function only(...parts: Buffer[]): Promise<Read> {
  const [entry, ...others] = await read(archive(...parts))
  assert.ok(entry !== undefined && others.length === 0, 'one entry')
  return entry
}

async function fault(bytes: Buffer, options: TarReaderOptions = {}): Promise<ArchiveFault | 'none'> {
  try {
    await read(bytes, options)
    return 'none'
  } catch (error) {
    if (error instanceof ArchiveError) return error.fault
    throw error
  }
}

/** Pieces without an end. */
async function* endless(first: Buffer, piece: Buffer): AsyncGenerator<Buffer> {
  yield first
  for (;;) yield piece
}

suite('an entry', bounded, () => {
  test('has what its header says', async () => {
    const entry = await only(file('dir/name', 'content', { mode: '0004755', mtime: 1_234_567_890 }))
    assert.deepEqual(entry, {
      type: 'file',
      path: 'dir/name',
      mode: 0o4755,
      mtime: 1_234_567_890n * second,
      size: 7,
      target: '',
      content: 'content',
    })
  })

  const types: [flag: string, type: string][] = [
    ['\0', 'file'],
    ['0', 'file'],
    ['1', 'hard link'],
    ['2', 'link'],
    ['3', 'character device'],
    ['4', 'block device'],
    ['5', 'folder'],
    ['6', 'FIFO'],
    ['7', 'file'],
  ]
  for (const [flag, type] of types) {
    test(`of the type ${JSON.stringify(flag)} is a ${type}`, async () => {
      assert.equal((await only(header({ flag }))).type, type)
    })
  }

  test('of the oldest tars is a folder where its name ends with a slash', async () => {
    const { type, path } = await only(header({ name: 'dir/', flag: '\0', magic: '' }))
    assert.deepEqual([type, path], ['folder', 'dir'])
  })

  test('has one slash less where it is a folder, and no other', async () => {
    assert.equal((await only(folder('dir//'))).path, 'dir/')
    assert.equal((await only(link('dir/', 'there'))).path, 'dir/')
  })

  test('may have all of the 100 bytes of a name', async () => {
    const name = 'n'.repeat(100)
    assert.equal((await only(file(name))).path, name)
  })

  test('has the beginning of its name in the prefix of ustar, and not in the times of GNU', async () => {
    assert.equal((await only(file('name', '', { prefix: 'some/dir', magic: ustar }))).path, 'some/dir/name')
    assert.equal((await only(file('name', '', { prefix: '07777777777' }))).path, 'name')
  })

  test('has a name of bytes, which need not be UTF-8', async () => {
    assert.equal((await only(file('\xff\xc3\xa4'))).path, '\udcff\u00e4')
  })

  test('has a long name and a long target of GNU', async () => {
    const [name, target] = ['n/'.repeat(300), 't'.repeat(1000)]
    const entry = await only(long('K', target), long('L', `${name}x`), link('n/n', 't'))
    assert.deepEqual([entry.path, entry.target], [`${name}x`, target])
  })

  test('has what an extended header says, and only that one', async () => {
    const records = { path: 'other\xff', mtime: '12.3456789012', linkpath: 'elsewhere', comment: 'none', uid: '7' }
    const [first, other] = await read(archive(pax(records), link('name', 'there'), link('name', 'there')))
    assert.deepEqual([first?.path, first?.target, first?.mtime], ['other\udcff', 'elsewhere', 12_345_678_901n])
    assert.deepEqual([other?.path, other?.target, other?.mtime], ['name', 'there', 1_000_000_000n * second])
  })

  test('has what a global header says, unless its own unsays it', async () => {
    const parts = [pax({ mtime: '5' }, 'g'), file('a'), pax({ mtime: '' }), file('b'), pax({ mtime: '6' }), file('c')]
    const times = (await read(archive(...parts, pax({ mtime: '' }, 'g'), file('d')))).map(({ mtime }) => mtime / second)
    assert.deepEqual(times, [5n, 1_000_000_000n, 6n, 1_000_000_000n])
  })

  test('has the size of an extended header where its own says 0', async () => {
    const parts = [pax({ size: '3' }), header({ size: 0 }), Buffer.from('abc'.padEnd(512, '\0')), file('next')]
    assert.deepEqual(
      (await read(archive(...parts))).map(({ content }) => content),
      ['abc', 'content'],
    )
  })

  const times: [title: string, mtime: bigint, fields: Buffer[]][] = [
    ['before 1970 in base-256', -2n * second, [header({ mtime: binary(-2n) })]],
    ['beyond octal in base-256', 8_589_934_592n * second, [header({ mtime: binary(8_589_934_592n) })]],
    ['before 1970 in an extended header', -1_500_000_000n, [pax({ mtime: '-1.5' }), header()]],
    ['without a fraction', 7n * second, [pax({ mtime: '7' }), header()]],
    ['with an empty fraction', 7n * second, [pax({ mtime: '7.' }), header()]],
    ['of nothing', 0n, [header({ mtime: '' })]],
    ['far off', 10n ** 21n, [header({ mtime: binary(1n << 90n) })]],
    ['far off before', -(10n ** 21n), [pax({ mtime: `-${'9'.repeat(30)}` }), header()]],
  ]
  for (const [title, mtime, parts] of times) {
    test(`has a time ${title}`, async () => assert.equal((await only(...parts)).mtime, mtime))
  }

  test('that nobody reads is skipped, also in the middle', async () => {
    const bytes = archive(file('a', 'x'.repeat(5000)), file('b', 'y'.repeat(5000)), file('c', 'z'))
    const paths: string[] = []
    for await (const { entry, content } of readTar(inPieces(bytes, 700))) {
      paths.push(entry.path)
      if (entry.path !== 'b') continue
      for await (const piece of content) {
        assert.ok(piece.length > 0)
        break
      }
    }
    assert.deepEqual(paths, ['a', 'b', 'c'])
  })
})

suite('a stream', bounded, () => {
  const bytes = archive(
    long('L', 'l'.repeat(600)),
    file('short', 'x'.repeat(1500)),
    pax({ path: 'p'.repeat(700) }),
    file('short', 'y'.repeat(512)),
    folder('dir/'),
    hardLink('hard', 'dir/x'),
    file('empty', ''),
  )

  for (const length of [1, 7, 511, 512, 513, 1024, 100_000]) {
    test(`in Buffers of ${length} bytes, each used again, is the same archive`, async () => {
      const expected = await read(bytes)
      assert.equal(expected.length, 5)
      async function* reused(): AsyncGenerator<Buffer> {
        for await (const piece of inPieces(bytes, length)) {
          const copy = Buffer.from(piece)
          yield copy
          copy.fill('!')
        }
      }
      assert.deepEqual(await readAll(reused()), expected)
    })
  }

  test('with empty Buffers in it is the same archive', async () => {
    async function* withEmpty(): AsyncGenerator<Buffer> {
      for await (const piece of inPieces(bytes, 300)) yield* [Buffer.alloc(0), piece, Buffer.alloc(0)]
    }
    assert.deepEqual(await readAll(withEmpty()), await read(bytes))
  })

  test('that ends anywhere before its end was cut', async () => {
    for (let length = 0; length < bytes.length; length += length % 512 === 511 ? 1 : 73) {
      const at = Math.min(length, bytes.length - 1)
      assert.equal(await fault(bytes.subarray(0, at)), 'cut', `after ${at} bytes`)
    }
    for (let blocks = 0; blocks < bytes.length / 512; blocks += 1) {
      assert.equal(await fault(bytes.subarray(0, blocks * 512)), 'cut', `after ${blocks} blocks`)
    }
  })

  test('is not read ahead', async () => {
    let given = 0
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const piece of inPieces(archive(file('a', Buffer.alloc(100_000)), file('b')), 1000)) {
        given += piece.length
        yield piece
      }
    }
    let taken = 512
    for await (const { content } of readTar(counted())) {
      for await (const piece of content) {
        taken += piece.length
        assert.ok(given <= taken + 1000, `${given} bytes for ${taken}`)
      }
      break
    }
    assert.ok(given < 102_000)
  })

  test('that is not wanted any more is told so', async () => {
    let isClosed = false
    async function* closing(): AsyncGenerator<Buffer> {
      try {
        yield* inPieces(bytes, 512)
      } finally {
        isClosed = true
      }
    }
    for await (const _ of readTar(closing())) break
    assert.ok(isClosed)
  })

  test('that fails fails with its own error', async () => {
    const failure = new Error('the exec was lost')
    async function* failing(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 1000)
      throw failure
    }
    await assert.rejects(readAll(failing()), failure)
  })

  test('that never goes on ends with the reason of the signal, and leaves no listener', async () => {
    async function* stuck(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 1000)
      await new Promise(() => {})
    }
    const enough = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => enough.abort(reason), 20)
    await assert.rejects(readAll(stuck(), { signal: enough.signal }), reason)
    assert.deepEqual(getEventListeners(enough.signal, 'abort'), [])
    await assert.rejects(readAll(inPieces(bytes), { signal: enough.signal }), reason)
  })

  test('leaves no listener where it ends by itself', async () => {
    const { signal } = new AbortController()
    await read(bytes, { signal })
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })
})

suite('an archive is damaged', bounded, () => {
  const sparse = withChecksum(Buffer.concat([header({ flag: 'S', size: 0 })]))
  const cases: [title: string, parts: Buffer[]][] = [
    ['where a header has another checksum', [file('a', '', { checksum: '000001\0 ' })]],
    ['where a checksum is no number', [file('a', '', { checksum: 'zzzzzz\0 ' })]],
    ['where it is no archive', [Buffer.alloc(2048, 'no tar at all\n')]],
    ['where a size is no number', [header({ size: '12345678abc' })]],
    ['where a size is negative', [header({ size: binary(-1n) })]],
    ['where a size is beyond all', [header({ size: binary(1n << 80n) })]],
    ['where a size has a sign', [header({ size: '-0000000001' })]],
    ['where a mode is no number', [header({ mode: 'rwxr-xr' })]],
    ['where a time is no number', [header({ mtime: 'yesterday' })]],
    ['where a folder has a content', [folder('dir/', { size: 512 }), Buffer.alloc(512, 'x')]],
    ['where a link has a content', [link('l', 't', { size: 512 }), Buffer.alloc(512, 'x')]],
    ['where a hard link has a content', [hardLink('l', 't', { size: 512 }), Buffer.alloc(512, 'x')]],
    ['where a FIFO has a content', [header({ flag: '6', size: 512 }), Buffer.alloc(512, 'x')]],
    ['where an extended header gives a link a content', [pax({ size: '512' }), link('l', 't'), Buffer.alloc(512, 'x')]],
    ['where an entry has two sizes', [pax({ size: '3' }), file('a', 'x'.repeat(600))]],
    ['where an entry has two sizes, the other larger', [pax({ size: '600' }), file('a', 'x')]],
    ['where a size in an extended header is negative', [pax({ size: '-1' }), header()]],
    ['where a size in an extended header is huge', [pax({ size: '9'.repeat(19) }), header()]],
    ['where a size in an extended header is of endless digits', [pax({ size: '9'.repeat(999) }), header()]],
    ['where a size in an extended header is no number', [pax({ size: '0x10' }), header()]],
    ['where a size in an extended header is a fraction', [pax({ size: '1.5' }), header()]],
    ['where a time in an extended header is no number', [pax({ mtime: '1e9' }), header()]],
    ['where a record has no length', [paxText('path=x\n'), header()]],
    ['where a record is longer than its header', [paxText('99 path=x\n'), header()]],
    ['where a record is shorter than it is', [paxText('9 path=xyz\n'), header()]],
    ['where a record has a length of 0', [paxText('0 path=x\n'), header()]],
    ['where a record has a negative length', [paxText('-9 path=x\n'), header()]],
    ['where a record has no "="', [paxText('8 path x\n'), header()]],
    ['where a record has no end', [paxText('10 path=xy'), header()]],
    ['where zeros follow a record', [paxText(`${paxRecord('path', 'x')}\0\0`), header()]],
    ['where an entry has two extended headers', [pax({ path: 'a' }), pax({ path: 'b' }), header()]],
    ['where an entry has two long names', [long('L', 'a'), long('L', 'b'), header()]],
    ['where an entry has two long targets', [long('K', 'a'), long('K', 'b'), header()]],
    ['where it ends with a long name', [long('L', 'a')]],
    ['where it ends with an extended header', [file('a'), pax({ path: 'a' })]],
    ['where a block of zeros is in its middle', [file('a'), Buffer.alloc(512), file('b')]],
  ]
  for (const [title, parts] of cases) {
    test(title, async () => assert.equal(await fault(archive(...parts)), 'damaged'))
  }

  test('where something follows its end', async () => {
    assert.equal(await fault(Buffer.concat([archive(file('a')), archive(file('b'))])), 'damaged')
  })

  const unknown: [title: string, parts: Buffer[]][] = [
    ['a sparse file of the gnu format', [sparse]],
    ['a sparse file of the posix format', [pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), file('a')]],
    ['a part of a volume', [header({ flag: 'M' })]],
    ['a list of a folder', [header({ flag: 'D' })]],
    ['a type that nobody has', [header({ flag: '\x1b' })]],
  ]
  for (const [title, parts] of unknown) {
    test(`or has what we do not know: ${title}`, async () => {
      assert.equal(await fault(archive(...parts)), 'unsupported')
    })
  }
})

suite('an archive has limits', bounded, () => {
  const cases: [limits: Partial<TarLimits>, parts: Buffer[]][] = [
    [{ entries: 2 }, [file('a'), file('b'), file('c')]],
    [{ entries: 2 }, [pax({ mtime: '1' }, 'g'), pax({ mtime: '1' }, 'g'), file('c')]],
    [{ bytes: 2000 }, [file('a', 'x'.repeat(2000))]],
    [{ fileBytes: 999 }, [file('a', 'x'.repeat(1000))]],
    [{ pathLength: 50 }, [file('a'.repeat(51))]],
    [{ pathLength: 50 }, [file('\xc3\xa4'.repeat(26))]],
    [{ pathLength: 50 }, [link('a', 'a'.repeat(51))]],
    [{ nameBytes: 50 }, [file('a'.repeat(30)), file('b'.repeat(30))]],
    [{ extensionBytes: 100 }, [long('L', 'a'.repeat(100)), file('b')]],
    [{ extensionBytes: 100 }, [pax({ comment: 'a'.repeat(100) }), file('b')]],
  ]
  for (const [limits, parts] of cases) {
    test(`such as ${JSON.stringify(limits)}`, async () => {
      assert.equal(await fault(archive(...parts), { limits }), 'limit')
      const [name = '', value = 0] = Object.entries(limits)[0] ?? []
      await read(archive(...parts), { limits: { [name]: value * 4 } })
    })
  }

  test('also where it says sizes and has nothing', async () => {
    const huge = Buffer.concat([header({ flag: 'x', size: binary(1n << 40n) })])
    assert.equal(await fault(huge), 'limit')
  })

  test('and its end has one', async () => {
    await assert.rejects(readAll(endless(end, Buffer.alloc(65_536))), { fault: 'limit' })
  })

  test('so that an endless stream ends', async () => {
    const piece = file('a', 'x'.repeat(3000))
    await assert.rejects(readAll(endless(piece, piece), { limits: { entries: 5000 } }), { fault: 'limit' })
  })
})

for (const tar of tars) {
  suite(`what ${tar.name} made`, { skip: tar.skip, ...bounded }, () => {
    const formats = tar.name === 'GNU tar' ? ['v7', 'ustar', 'oldgnu', 'gnu', 'posix'] : ['its own']
    const name = `${'d'.repeat(80)}/${'n'.repeat(60)}`
    for (const format of formats) {
      test(`is read, in the format ${format}`, async () => {
        await using tree = await temporaryFolder()
        mkdirSync(join(tree.path, 'd'.repeat(80)))
        writeFileSync(join(tree.path, name), 'hello')
        symlinkSync('there', join(tree.path, 'link'))
        writeFileSync(Buffer.concat([bytesOf(`${tree.path}/`), bytesOf('\xff')]), '')
        utimesSync(join(tree.path, name), 1_000_000_000.25, 1_000_000_000.25)
        const words = format === 'its own' ? [] : [`--format=${format}`]
        // The shell knows the bytes of a name.
        const names = format === 'v7' ? 'l* [!dl]*' : 'd* l* [!dl]*'
        const script = `LC_ALL=C; exec "$@" -c -f - ${names}`
        const bytes = execFileSync('sh', ['-c', script, 'sh', ...tar.command, ...words], { cwd: tree.path })
        const entries = await read(bytes)
        const expected = [
          ...(format === 'v7' ? [] : [`folder ${'d'.repeat(80)} `, `file ${name} hello`]),
          'link link ',
          'file \udcff ',
        ]
        assert.deepEqual(
          entries.map(({ type, path, content }) => `${type} ${path} ${content}`),
          expected,
        )
        const ofFile = entries.find(({ path }) => path === name)
        const time = format === 'posix' ? 1_000_000_000_250_000_000n : 1_000_000_000_000_000_000n
        if (ofFile !== undefined) assert.equal(ofFile.mtime, time)
      })
    }

    test('is refused where a file is sparse, or is a file of zeros', async () => {
      await using tree = await temporaryFolder()
      writeFileSync(join(tree.path, 'sparse'), '')
      truncateSync(join(tree.path, 'sparse'), 1024 * 1024)
      const words = tar.name === 'GNU tar' ? ['--sparse', '--hole-detection=seek'] : []
      const make = (...more: string[]): Buffer =>
        execFileSync(tar.command[0] ?? '', [...tar.command.slice(1), ...words, ...more, '-c', '-f', '-', 'sparse'], {
          cwd: tree.path,
          maxBuffer: 1e8,
        })
      if (tar.name === 'GNU tar') {
        assert.equal(await fault(make('--format=gnu')), 'unsupported')
        assert.equal(await fault(make('--format=posix')), 'unsupported')
      } else {
        assert.equal((await read(make()))[0]?.content, '\0'.repeat(1024 * 1024))
      }
    })
  })
}
