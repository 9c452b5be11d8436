import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Shell } from '../../src/pod/shell.ts'
import { syncPath } from '../../src/pod/workspace.ts'
import type { Entry } from '../../src/sync/entry.ts'
import { type Changes, changesBetween } from '../../src/sync/local/changes.ts'
import { applying, type Request, staging, wholeTree } from '../../src/sync/remote/batch.ts'
import { hasNamespaces } from '../support/container.ts'
import { file, folder, link, treeOf } from '../support/entries.ts'
import { searchPath } from '../support/environment.ts'
import { full } from '../support/full.ts'
import { entriesOf, packed } from '../support/packed.ts'
import { PodFolder, rawRequest, toolsets } from '../support/pod-folder.ts'
import { shells } from '../support/shells.ts'
import { closeFolder, fillWithTraps, linkOutside } from '../support/traps.ts'
import { bytesOf, manifest, temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 60_000 }
const together = { concurrency: 2 }
const isRoot = process.getuid?.() === 0

const stagingCommands = staging([]).commands

/** A request as bytes, its archives packed of a local root. */
async function raw(root: string, number: number, { commands, archives }: Request, zip = false): Promise<Buffer> {
  const all = await Promise.all(archives.map((entries) => packed(root, { entries })))
  return rawRequest(number, { commands, archives: all.map(({ archive }) => archive) }, { zip })
}

/** The bytes of both requests that bring changes. */
async function rawChanges(root: string, changes: Changes, { force = false } = {}): Promise<Buffer> {
  const tree = treeOf(...(await entriesOf(root)))
  const contents = changes.put.filter(({ type }) => type !== 'folder')
  return Buffer.concat([await raw(root, 1, staging(contents)), await raw(root, 2, applying(changes, tree, { force }))])
}

function changesOf(changes: Partial<Changes>): Changes {
  return { removed: [], put: [], replaced: new Set(), ...changes }
}

const good = ['ready gzip:', '1 0', '2 0']

suite('the remote script', together, () => {
  for (const { name: tools, skip } of toolsets) {
    for (const { name, shell } of shells) {
      // The shell does not matter to a tar: each with its own tools, and one with both.
      if (name !== 'dash' && name.startsWith('busybox') !== (tools === 'BusyBox')) continue
      // As bash by itself, but for a few words that the script has none of.
      if (name === 'bash --posix' && !full) continue
      suite(`under ${name} with the tools of ${tools}`, { ...together, skip }, () => runs({ shell, tools }))
    }
  }
})

function runs({ shell, tools }: { shell: Shell; tools: string }): void {
  const linkTimes = tools === 'GNU'

  test('unpacks a whole tree with every trap in it', bounded, async () => {
    await using tree = await temporaryFolder()
    fillWithTraps(tree.path)
    if (isRoot || tools === 'GNU') closeFolder(tree.path)
    mkdirSync(join(tree.path, 'outward'))
    linkOutside(join(tree.path, 'outward'))
    using pod = new PodFolder({ tools })
    const input = await raw(tree.path, 1, wholeTree(await entriesOf(tree.path)))
    assert.deepEqual((await pod.converse(shell, input)).lines, ['ready gzip:', '1 0'])
    assert.deepEqual(manifest(pod.root, linkTimes), manifest(tree.path, linkTimes))
  })

  test('unpacks gzipped frames, and an empty tree', bounded, async () => {
    await using tree = await temporaryFolder()
    writeFileSync(join(tree.path, 'large'), Buffer.alloc(700_000, 'abc'))
    using pod = new PodFolder({ tools })
    const input = await raw(tree.path, 1, wholeTree(await entriesOf(tree.path)), true)
    assert.ok(input.length < 50_000)
    const empty = await raw(tree.path, 2, wholeTree([]))
    assert.deepEqual((await pod.converse(shell, Buffer.concat([input, empty]))).lines, good)
    assert.deepEqual(manifest(pod.root), manifest(tree.path))
  })

  test('puts and removes names with any byte, and such as look like something else', bounded, async () => {
    const every = Array.from({ length: 255 }, (_, n) => n + 1).filter((byte) => byte !== 0x2f)
    const names = [
      ...every.map((byte) => Buffer.of(byte, 0x78, byte)),
      Buffer.from(every),
      ...['-rf', '--help', '*', '?', "'", "''", '$(exit 3)', '`x`', '\\', '\n', '~', '#', 'end 1', 'end 2\n'].map(
        bytesOf,
      ),
    ]
    await using tree = await temporaryFolder()
    mkdirSync(join(tree.path, 'sub'))
    for (const name of names.filter((bytes) => bytes.length < 250)) {
      for (const place of [tree.path, join(tree.path, 'sub')]) {
        writeFileSync(Buffer.concat([Buffer.from(`${place}/`), name]), name)
      }
    }
    for (const name of ['-rf', "it's", 'a\nb', '*']) {
      mkdirSync(join(tree.path, `folder ${name}`))
      writeFileSync(join(tree.path, `folder ${name}`, name), '')
    }
    using pod = new PodFolder({ tools })
    const entries = await entriesOf(tree.path)
    const added = await rawChanges(tree.path, changesOf({ put: entries }))
    assert.deepEqual(await pod.converse(shell, added), { lines: good, stderr: '' })
    assert.deepEqual(manifest(pod.root, linkTimes), manifest(tree.path, linkTimes))
    writeFileSync(join(pod.root, 'sub', 'of the pod'), '')
    const gone = await raw(tree.path, 1, applying(changesOf({ removed: entries }), new Map(), { force: false }))
    assert.deepEqual((await pod.converse(shell, gone)).lines, ['ready gzip:', '1 0'])
    assert.deepEqual(readdirSync(pod.root), ['sub'])
    assert.deepEqual(readdirSync(join(pod.root, 'sub')), ['of the pod'])
  })

  test('makes one tree of another, whatever became of what', bounded, async () => {
    await using tree = await temporaryFolder()
    const at = (path: string) => join(tree.path, path)
    const kinds: Record<string, (path: string) => void> = {
      nothing: () => {},
      file: (path) => writeFileSync(path, path),
      link: (path) => symlinkSync('/', path),
      folder: (path) => {
        mkdirSync(path)
        mkdirSync(join(path, 'in it'))
        writeFileSync(join(path, 'in it', 'file'), path)
      },
    }
    for (const one of Object.keys(kinds)) {
      for (const other of Object.keys(kinds)) if (one !== other) kinds[one]?.(at(`${one} to ${other}`))
    }
    const before = treeOf(...(await entriesOf(tree.path)))
    using pod = new PodFolder({ tools })
    const all = await raw(tree.path, 1, wholeTree([...before.values()]))
    for (const one of Object.keys(kinds)) {
      for (const other of Object.keys(kinds)) {
        if (one === other) continue
        rmSync(at(`${one} to ${other}`), { recursive: true, force: true })
        kinds[other]?.(at(`${one} to ${other}`))
      }
    }
    const now = treeOf(...(await entriesOf(tree.path)))
    assert.deepEqual((await pod.converse(shell, all)).lines, ['ready gzip:', '1 0'])
    const { lines, stderr } = await pod.converse(shell, await rawChanges(tree.path, changesBetween(before, now)))
    assert.deepEqual({ lines, stderr }, { lines: good, stderr: '' })
    assert.deepEqual(manifest(pod.root, linkTimes), manifest(tree.path, linkTimes))
  })

  for (const force of [false, true]) {
    test(`never follows a link in the place of a folder${force ? ', by force' : ''}`, bounded, async () => {
      await using outside = await temporaryFolder()
      for (const name of ['put', 'removed', 'replaced']) writeFileSync(join(outside.path, name), 'ours')
      mkdirSync(join(outside.path, 'inner'))
      mkdirSync(join(outside.path, 'removed folder'))
      writeFileSync(join(outside.path, 'inner', 'put'), 'ours')
      const before = manifest(outside.path)
      await using tree = await temporaryFolder()
      mkdirSync(join(tree.path, 'd/inner'), { recursive: true })
      mkdirSync(join(tree.path, 'deep/d'), { recursive: true })
      for (const path of ['d/put', 'd/inner/put', 'd/replaced', 'deep/d/put'])
        writeFileSync(join(tree.path, path), path)
      using pod = new PodFolder({ tools })
      symlinkSync(outside.path, join(pod.root, 'd'))
      mkdirSync(join(pod.root, 'deep'))
      symlinkSync(outside.path, join(pod.root, 'deep/d'))
      symlinkSync(outside.path, join(pod.root, 'removed'))
      const input = await rawChanges(
        tree.path,
        {
          removed: [
            file('d/removed'),
            folder('d/removed folder'),
            file('deep/d/removed'),
            file('removed/removed'),
            file('removed/inner/put'),
            folder('removed/inner'),
          ],
          put: await entriesOf(tree.path),
          replaced: new Set(['d/replaced', 'd/inner']),
        },
        { force },
      )
      const { lines, stderr } = await pod.converse(shell, input)
      assert.deepEqual({ lines, stderr }, { lines: good, stderr: '' })
      assert.deepEqual(manifest(outside.path), before)
      const expected = manifest(tree.path)
      assert.deepEqual(
        manifest(pod.root).filter((line) => !line.startsWith('"removed"')),
        expected,
      )
    })
  }

  test('leaves a folder that is in the way of a file, and says so; by force it goes', bounded, async () => {
    await using tree = await temporaryFolder()
    for (const path of ['a', 'x']) writeFileSync(join(tree.path, path), path)
    using pod = new PodFolder({ tools })
    mkdirSync(join(pod.root, 'x/y'), { recursive: true })
    const put = await entriesOf(tree.path)
    const refused = await pod.converse(shell, await rawChanges(tree.path, changesOf({ put })))
    assert.deepEqual(refused.lines.slice(0, 2), ['ready gzip:', '1 0'])
    assert.match(refused.lines[2] ?? '', /^2 [1-9]\d*$/)
    assert.match(refused.stderr, /x/)
    assert.ok(existsSync(join(pod.root, 'x/y')))
    const forced = await pod.converse(shell, await rawChanges(tree.path, changesOf({ put }), { force: true }))
    assert.deepEqual(forced.lines, good)
    assert.deepEqual(manifest(pod.root), manifest(tree.path))
  })

  test('takes what was staged, and never moved, out of the way', bounded, async () => {
    await using tree = await temporaryFolder()
    mkdirSync(join(tree.path, 'a'))
    writeFileSync(join(tree.path, 'a/b'), '')
    writeFileSync(join(tree.path, 'b'), '')
    using pod = new PodFolder({ tools })
    const requests = [
      await raw(tree.path, 1, staging([file('b')])),
      await raw(join(tree.path, 'a'), 2, staging([file('b')])),
      await raw(tree.path, 3, staging([file('a/b')])),
      await raw(join(tree.path, 'a'), 4, { ...staging([file('b')]), commands: ['mkdir stage/b', ...stagingCommands] }),
    ]
    const { lines } = await pod.converse(shell, Buffer.concat(requests))
    assert.deepEqual(lines, ['ready gzip:', '1 0', '2 0', '3 0', '4 0'])
  })

  test('keeps what is in a folder that was removed here, and was not sent', bounded, async () => {
    using pod = new PodFolder({ tools })
    mkdirSync(join(pod.root, 'a/b/c'), { recursive: true })
    for (const path of ['a/sent', 'a/b/built', 'a/b/c/sent']) writeFileSync(join(pod.root, path), '')
    const removed: Entry[] = [folder('a'), folder('a/b'), folder('a/b/c'), file('a/sent'), link('a/b/c/sent')]
    const { commands } = applying(changesOf({ removed }), new Map(), { force: false })
    assert.deepEqual((await pod.converse(shell, rawRequest(1, { commands }))).lines, ['ready gzip:', '1 0'])
    assert.deepEqual(readdirSync(pod.root, { recursive: true, encoding: 'utf8' }).toSorted(), ['a', 'a/b', 'a/b/built'])
  })

  test('changes what is in closed folders, and closes them again, as a user that is not root', bounded, async () => {
    await using tree = await temporaryFolder()
    const at = (path: string) => join(tree.path, path)
    for (const path of ['closed/inner', 'gone/inner', 'file']) mkdirSync(at(path), { recursive: true })
    for (const path of ['closed/old', 'closed/inner/old', 'gone/inner/old', 'file/old']) writeFileSync(at(path), path)
    const closed = ['closed', 'closed/inner', 'gone', 'gone/inner', 'file']
    const set = (mode: number) => closed.filter((path) => existsSync(at(path))).map((path) => chmodSync(at(path), mode))
    set(0o555)
    using pod = new PodFolder({ tools, uid: isRoot ? 65_534 : undefined })
    const before = treeOf(...(await entriesOf(tree.path)))
    const { lines } = await pod.converse(shell, await raw(tree.path, 1, wholeTree([...before.values()])))
    assert.deepEqual(lines, ['ready gzip:', '1 0'])
    assert.deepEqual(manifest(pod.root), manifest(tree.path))
    set(0o755)
    for (const path of ['gone', 'file', 'closed/old', 'closed/inner/old']) rmSync(at(path), { recursive: true })
    for (const path of ['closed/new', 'closed/inner/new', 'file']) writeFileSync(at(path), path)
    chmodSync(at('closed'), 0o555)
    chmodSync(at('closed/inner'), 0o555)
    const changes = changesBetween(before, treeOf(...(await entriesOf(tree.path))))
    assert.deepEqual(await pod.converse(shell, await rawChanges(tree.path, changes)), { lines: good, stderr: '' })
    assert.deepEqual(manifest(pod.root), manifest(tree.path))
  })

  test('sets the modes of folders, new ones and old, as a user that is not root', bounded, async () => {
    await using tree = await temporaryFolder()
    const make = (path: string, mode: number) => {
      mkdirSync(join(tree.path, path), { recursive: true })
      chmodSync(join(tree.path, path), mode)
    }
    make('old', 0o700)
    using pod = new PodFolder({ tools, uid: isRoot ? 65_534 : undefined })
    const before = treeOf(...(await entriesOf(tree.path)))
    await pod.converse(shell, await raw(tree.path, 1, wholeTree([...before.values()])))
    for (const [path, mode] of [
      ['old', 0o2775],
      ['old/new', 0o700],
      ['other', 0o777],
    ] as const) {
      make(path, mode)
    }
    const changes = changesBetween(before, treeOf(...(await entriesOf(tree.path))))
    assert.deepEqual(await pod.converse(shell, await rawChanges(tree.path, changes)), { lines: good, stderr: '' })
    assert.deepEqual(
      ['old', 'old/new', 'other'].map((path) => statSync(join(pod.root, path)).mode & 0o7777),
      [0o775, 0o700, 0o777],
    )
  })

  test('changes what is in folders that nobody may enter, as a user that is not root', bounded, async () => {
    await using tree = await temporaryFolder()
    const at = (path: string) => join(tree.path, path)
    const sealed = ['a', 'b', 'c']
    for (const path of sealed) mkdirSync(at(path))
    using pod = new PodFolder({ tools, uid: isRoot ? 65_534 : undefined })
    const entries = await entriesOf(tree.path)
    const before = entries.map((entry) =>
      entry.type === 'folder' ? { ...entry, mode: entry.path === 'c' ? 0o300 : 0 } : entry,
    )
    const { lines } = await pod.converse(shell, await raw(tree.path, 1, wholeTree(before)))
    assert.deepEqual(lines, ['ready gzip:', '1 0'])
    assert.deepEqual(
      sealed.map((path) => statSync(join(pod.root, path)).mode & 0o777),
      [0, 0, 0o300],
    )
    for (const path of ['a/new', 'c/new']) writeFileSync(at(path), path)
    rmSync(at('b'), { recursive: true })
    writeFileSync(at('b'), 'a file')
    const changes = changesBetween(treeOf(...before), treeOf(...(await entriesOf(tree.path))))
    assert.deepEqual(await pod.converse(shell, await rawChanges(tree.path, changes)), { lines: good, stderr: '' })
    assert.deepEqual(manifest(pod.root), manifest(tree.path))
  })

  test('ends the one before it that is still at work', bounded, async () => {
    using pod = new PodFolder({ tools })
    const first = pod.startScript(shell)
    first.stdin.write(rawRequest(1, { commands: ['cat'] }))
    await once(first.stdout, 'data')
    const ended = once(first, 'exit')
    assert.deepEqual((await pod.converse(shell, Buffer.alloc(0))).lines, ['ready gzip:'])
    assert.deepEqual(await ended, [null, 'SIGKILL'])
  })

  const again = shell.command.includes('--posix') || (shell.command[0] === 'dash' && tools === 'BusyBox')
  test('does nothing more for an input that is cut, wherever', { ...bounded, skip: again }, async () => {
    await using tree = await temporaryFolder()
    mkdirSync(join(tree.path, 'f'))
    for (const name of ["a'b", 'f/c']) writeFileSync(join(tree.path, name), 'x'.repeat(1000))
    const entries = await entriesOf(tree.path)
    const whole = Buffer.concat([
      await raw(tree.path, 1, staging(entries.filter(({ type }) => type === 'file'))),
      await raw(
        tree.path,
        2,
        applying(changesOf({ put: entries, removed: [file("k'l"), file('f/m')] }), treeOf(...entries), { force: true }),
      ),
    ])
    const second = whole.indexOf('2 ', whole.indexOf('end 1\n2 '))
    await Promise.all(
      cutsOf(whole).map(async (cut) => {
        using pod = new PodFolder({ tools })
        mkdirSync(join(pod.root, 'f'))
        for (const name of ['k', 'a', 'f/m', 'f/n']) writeFileSync(join(pod.root, name), '')
        const { lines } = await pod.converse(shell, whole.subarray(0, cut))
        const where = `cut at ${cut}, after ${JSON.stringify(whole.subarray(0, cut).toString('latin1').slice(-40))}`
        const answers = lines.filter((line) => line.endsWith(' 0'))
        assert.deepEqual(answers, cut >= second ? ['1 0'] : [], where)
        for (const path of ['k', 'a', 'f/n']) assert.ok(existsSync(join(pod.root, path)), where)
      }),
    )
  })

  // A BusyBox knows its own programs, wherever they are.
  const own = shell.command[0] === 'busybox'
  test('names the programs that an image has not, and does nothing', { ...bounded, skip: own }, async () => {
    for (const [without, line] of [
      [['tar'], 'ready gzip: tar'],
      [['tar', 'dd', 'gzip'], 'ready : tar dd'],
      [['rm', 'mkdir'], 'ready gzip: rm mkdir'],
    ] as const) {
      using pod = new PodFolder({ tools, without })
      const { lines } = await pod.converse(shell, Buffer.alloc(0))
      assert.deepEqual(lines, [line])
    }
    using pod = new PodFolder({ tools, without: ['gzip'] })
    assert.deepEqual((await pod.converse(shell, Buffer.alloc(0))).lines, ['ready :'])
  })

  test('counts a dd that cannot take all of a block among them', { ...bounded, skip: own }, async () => {
    using pod = new PodFolder({ tools })
    rmSync(join(pod.bin, 'dd'))
    writeFileSync(join(pod.bin, 'dd'), '#!/bin/sh\necho "dd: unknown iflag" >&2\nexit 1\n', { mode: 0o755 })
    assert.deepEqual(await pod.converse(shell, Buffer.alloc(0)), { lines: ['ready gzip: dd'], stderr: '' })
  })

  test('says why it cannot begin', bounded, async () => {
    using pod = new PodFolder({ tools })
    rmSync(join(pod.path, 'volume'), { recursive: true })
    const { lines, stderr } = await pod.converse(shell, rawRequest(1, { commands: ['true'] }))
    assert.deepEqual(lines, [])
    assert.match(stderr, /volume/)
  })

  test('tells that a disk is full, and ends', { ...bounded, skip: !hasNamespaces }, async () => {
    await using tree = await temporaryFolder()
    writeFileSync(join(tree.path, 'a'), Buffer.alloc(300_000, 1))
    writeFileSync(join(tree.path, 'b'), 'x')
    const small: Shell = {
      command: ['unshare', '-rm', '/bin/sh', '-c', mounting, 'small', ...shell.command],
      setup: '',
    }
    using pod = new PodFolder({ tools })
    const first = await raw(tree.path, 1, staging(await entriesOf(tree.path)))
    const second = rawRequest(2, { commands: ['true'] })
    const { lines, stderr } = await pod.converse(small, Buffer.concat([first, second]))
    assert.equal(lines.length, 2)
    assert.match(lines[1] ?? '', /^1 [1-9]\d*$/)
    assert.match(stderr, /No space left on device/)
  })
}

// The path is rewritten as it is in the script.
const mounting = `PATH=$PATH:${searchPath}
mount -t tmpfs -o size=64k none ${syncPath} && mkdir ${syncPath}/root && exec "$@"`

/** Places to cut at: of each kind some. */
function cutsOf(whole: Buffer): number[] {
  const text = whole.toString('latin1')
  const kinds: readonly [RegExp, readonly number[]][] = [
    [/^1/g, [0, 1]],
    [/ &&\n/g, [0, 3]],
    [/\d\n/g, [1, 2]],
    [/'\\''/g, [0, 1, 3]],
    [/\0{9}0\n/g, [9, 10, 11]],
    [/end \d/g, [0, 5]],
    [/ustar/g, [-257, 255]],
  ]
  const cuts = kinds.flatMap(([pattern, around]) =>
    [...text.matchAll(pattern)].slice(-3).flatMap(({ index }) => around.map((offset) => index + offset)),
  )
  return [...new Set(cuts)].filter((cut) => cut < whole.length && !isWhole(text, cut))
}

/** Right behind a request nothing is cut. */
function isWhole(text: string, cut: number): boolean {
  return cut === text.indexOf('end 1\n2 ') + 'end 1\n'.length
}
