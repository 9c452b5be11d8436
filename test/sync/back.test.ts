import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import type { BackOptions, SyncOptions } from '../../src/options.ts'
import { plainShell } from '../../src/pod/shell.ts'
import { Back } from '../../src/sync/back.ts'
import { Remote } from '../../src/sync/remote/remote.ts'
import { Up } from '../../src/sync/up.ts'
import { type Edit, edits, makeEdit } from '../support/edits.ts'
import { full } from '../support/full.ts'
import { PodFolder, type PodFolderOptions, toolsets } from '../support/pod-folder.ts'
import { fillWithTraps, linkOutside } from '../support/traps.ts'
import { manifest } from '../support/trees.ts'

const bounded = { timeout: 90_000 }
const place = { target: { namespace: 'dev', pod: 'p', container: 'kuberun' }, shell: plainShell }
const { signal } = new AbortController()
const isRoot = process.getuid?.() === 0
const nobody = 65_534

interface Setup {
  pod?: PodFolderOptions
  sync?: Partial<SyncOptions>
  back?: Partial<BackOptions>
  /** Fills the remote root before anything goes there. */
  fillThere?: (root: string) => void
}

/** A local folder that has gone up to a pod's, and what brings changes back. */
class Pair implements AsyncDisposable {
  readonly local = mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
  readonly pod: PodFolder
  readonly warnings: string[] = []
  readonly up: Up
  readonly back: Back
  remote!: Remote

  private constructor({ pod, sync: some, back: how }: Setup) {
    this.pod = new PodFolder(pod)
    const reporter = {
      warning: (text: string) => void this.warnings.push(text),
      waiting: () => {},
      note: () => {},
      phase: () => {},
    }
    const rules = { exclude: [], include: [], ignore: false }
    const sync = {
      dir: this.here,
      remoteDir: '/workspace',
      ...rules,
      maxUpload: 1e9,
      once: false,
      strict: false,
      ...some,
    }
    const options: BackOptions = {
      patterns: [],
      onConflict: 'keep-both',
      allowMassDelete: true,
      interval: 100,
      ...how,
    }
    this.up = new Up({ root: this.here, sync, reporter, signal })
    const pods = { ...place, runId: 'run' }
    this.back = new Back(options, { client: this.pod.client, pod: pods, up: this.up, reporter, signal })
  }

  static async begin(fill: (root: string) => void, setup: Setup = {}): Promise<Pair> {
    const pair = new Pair(setup)
    fill(pair.here)
    setup.fillThere?.(pair.there)
    await pair.up.tree.retake()
    pair.remote = await Remote.open(pair.pod.client, { ...place, remoteDir: '/workspace', signal })
    await pair.up.initial(pair.remote, () => false)
    await pair.back.begin()
    return pair
  }

  get here(): string {
    return this.local.path
  }

  get there(): string {
    return this.pod.root
  }

  /** Looks until nothing happens any more. */
  async settle(): Promise<void> {
    await this.up.tree.retake()
    const { run } = this.back.exchange(1)
    for (let quiet = 0, round = 0; quiet < 3; round += 1) {
      assert.ok(round < 30, 'it is never done')
      const before = this.stamps()
      const applied = await run(this.remote)
      quiet = applied === undefined && before === this.stamps() ? quiet + 1 : 0
    }
  }

  /** Has the pod's tar do something first, once: when it next packs or unpacks (`-c`, `-x`); or another program of the pod's. */
  before(words: '-c' | '-x' | '', script: string, program = 'tar'): void {
    const at = join(this.pod.bin, program)
    const real = realpathSync(at)
    const once = `case "$*" in *${words}*) ln -sf ${real} '${at}'; ${script} ;; esac`
    rmSync(at)
    // One BusyBox has all programs, and goes by the name that it is called with.
    const run = `exec -a ${program} ${real} "$@"`
    writeFileSync(at, `#!/bin/bash\nPATH=/bin:/usr/bin\n${once}\n${run}\n`, { mode: 0o755 })
  }

  /** Of both sides, what tells whether anything was written. */
  stamps(): string {
    return [...stampsOf(this.here), ...stampsOf(this.there)].join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.remote.close()
    this.back.close()
    await this.pod.idle()
    this.pod[Symbol.dispose]()
    this.local[Symbol.dispose]()
  }
}

function stampsOf(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'buffer' }).map((name) => {
    const stat = lstatSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), { bigint: true })
    return `${name.toString('latin1')} ${stat.ino} ${stat.ctimeNs} ${stat.mode}`
  })
}

/** What both sides are to have in common: not the times of folders. */
function treeOf(root: string): string[] {
  return manifest(root, false).map((line) =>
    /^"(?:[^"\\]|\\.)*" folder/.test(line) ? line.replace(/ \d+$/, '') : line,
  )
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

const plainEdits = edits.filter(({ does }) => does !== 'rules' && does !== 'repository')

for (const { name, skip } of toolsets) {
  suite(`with the programs of ${name}`, { skip }, () => {
    const setup = { pod: { tools: name } }

    test('every trap comes back as it is', bounded, async () => {
      await using pair = await Pair.begin(() => {}, setup)
      fillWithTraps(pair.there)
      linkOutside(pair.there)
      const returned = await pair.back.finish()
      assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
      assert.deepEqual([returned.isIncomplete, pair.warnings], [false, []])
    })

    test('times come back to the nanosecond that Node can set', bounded, async () => {
      await using pair = await Pair.begin(() => {}, setup)
      writeFileSync(join(pair.there, 'a'), 'x')
      await pair.back.finish()
      const [here, there] = [pair.here, pair.there].map((root) => statSync(join(root, 'a'), { bigint: true }).mtimeNs)
      assert.ok(Math.abs(Number((here ?? 0n) - (there ?? 0n))) < 1_000)
    })

    test('any number of files may go, whatever is complained of them', bounded, async () => {
      for (const length of [1, 4, 7, 10]) {
        await using pair = await Pair.begin((root) => write(root, { keep: 'x' }), setup)
        const files = Array.from({ length: 120 }, (_, n) => `${'n'.repeat(length)}${n}`).concat('x\ny')
        write(pair.there, Object.fromEntries(files.map((file) => [file, 'x'])))
        await pair.settle()
        for (const file of files) rmSync(join(pair.there, file))
        await pair.settle()
        assert.deepEqual(readdirSync(pair.here), ['keep'])
      }
    })

    test('more files come back than one command can name', bounded, async () => {
      await using pair = await Pair.begin(() => {}, setup)
      const folder = join(pair.there, 'f'.repeat(200))
      mkdirSync(folder)
      for (let n = 0; n < 3_000; n += 1) writeFileSync(join(folder, `${n}`), `${n}`)
      assert.deepEqual(await pair.back.finish(), { files: 3_000, conflicts: 0, isIncomplete: false })
      assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
    })

    test('whatever happens on one side at a time is on both afterwards, and stays', bounded, async () => {
      const batch = fc.record({
        isHere: fc.boolean(),
        edits: fc.array(plainEdits, { minLength: 1, maxLength: 5 }),
      })
      const property = fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), async (batches) => {
        await using pair = await Pair.begin((root) => write(root, { a: 'a', 'b/x': 'x', 'x/a/b': 'b' }), setup)
        for (const { isHere, edits: some } of batches) {
          for (const edit of some) makeEdit(isHere ? pair.here : pair.there, edit satisfies Edit)
          await pair.settle()
          assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
        }
        await pair.back.finish()
        assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
        assert.deepEqual(pair.warnings, [])
      })
      await fc.assert(property, { numRuns: full ? 100 : 2, interruptAfterTimeLimit: 30_000 })
    })
  })
}

suite('what changed on both sides', () => {
  test('is lost on neither, whatever it is', bounded, async () => {
    const some = fc.array(plainEdits, { minLength: 1, maxLength: 5 })
    const property = fc.asyncProperty(some, some, async (edited, changed) => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a', 'b/x': 'x', 'x/a/b': 'b' }))
      for (const edit of edited)
        makeEdit(pair.here, edit.does === 'write' ? { ...edit, text: `here ${edit.path}` } : edit)
      for (const edit of changed)
        makeEdit(pair.there, edit.does === 'write' ? { ...edit, text: `there ${edit.path}` } : edit)
      const made = [...textsOf(pair.here, 'here'), ...textsOf(pair.there, 'there')]
      await pair.back.finish()
      const all = new Set([...textsOf(pair.here, 'here'), ...textsOf(pair.here, 'there')])
      for (const text of made) assert.ok(all.has(text), text)
      const before = stampsOf(pair.here)
      await pair.back.finish()
      assert.deepEqual(stampsOf(pair.here), before)
    })
    await fc.assert(property, { numRuns: full ? 300 : 5, interruptAfterTimeLimit: 30_000 })
  })

  test('and is the same by now is no conflict', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'old', b: 'old' }))
    for (const root of [pair.here, pair.there]) write(root, { a: 'new', b: 'both', c: 'more' })
    utimesSync(join(pair.there, 'a'), 1e9, 1e9)
    assert.deepEqual(await pair.back.finish(), { files: 0, conflicts: 0, isIncomplete: false })
    assert.deepEqual(pair.warnings, [])
  })

  test('is hashed where only that can tell', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'old' }), { pod: { without: ['sha256sum'] } })
    for (const root of [pair.here, pair.there]) write(root, { a: 'new' })
    const { conflicts } = await pair.back.finish()
    assert.equal(conflicts, 1)
    assert.equal(readFileSync(join(pair.here, 'a.remote-run'), 'utf8'), 'new')
  })
})

suite('while something is under way to one side', () => {
  for (const path of ['src/a', 'src/new']) {
    test(`what becomes of ${path} here stays, and what was to come is beside it`, bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { 'src/a': 'a', b: 'b' }))
      write(pair.there, { [path]: 'by the command', b: 'by the command' })
      pair.before('-c', `echo edited >'${pair.here}/${path}'`)
      const { conflicts, isIncomplete } = await pair.back.finish()
      assert.deepEqual([conflicts, isIncomplete], [1, false])
      assert.equal(readFileSync(join(pair.here, path), 'utf8'), 'edited\n')
      assert.equal(readFileSync(join(pair.here, `${path}.remote-run`), 'utf8'), 'by the command')
      assert.equal(readFileSync(join(pair.here, 'b'), 'utf8'), 'by the command')
    })
  }

  test('what could not be saved beside is said not to be here', { ...bounded, skip: isRoot }, async () => {
    await using pair = await Pair.begin((root) => write(root, { 'd/a': 'a' }))
    write(pair.here, { 'd/a': 'mine' })
    write(pair.there, { 'd/a': 'by the command' })
    chmodSync(join(pair.here, 'd'), 0o555)
    assert.equal((await pair.back.finish()).isIncomplete, true)
    assert.match(pair.warnings.join('\n'), /^conflict: "d\/a" .*: it stays, and the pod’s version is not here$/m)
    chmodSync(join(pair.here, 'd'), 0o755)
  })

  test('what the command makes in the place of a folder that goes stays', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'a' }))
    write(pair.here, { 'd/x': 'mine' })
    pair.before('-x', `echo by the command >'${pair.there}/d'`)
    await pair.settle()
    await pair.back.finish()
    assert.equal(readFileSync(join(pair.here, 'd/x'), 'utf8'), 'mine')
    assert.equal(readFileSync(join(pair.here, 'd.remote-run'), 'utf8'), 'by the command\n')
  })

  for (const change of ['edited', 'deleted']) {
    test(`what the command changes meanwhile is not lost to what is ${change} here`, bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { 'src/a': 'a', 'src/b': 'b' }))
      if (change === 'edited') write(pair.here, { 'src/a': 'edited', 'src/b': 'edited' })
      else rmSync(join(pair.here, 'src/a'))
      write(pair.here, { 'src/b': 'edited' })
      // The contents of src/b are under way.
      pair.before('-x', `echo by the command >'${pair.there}/src/a'`)
      await pair.settle()
      const { conflicts } = await pair.back.finish()
      assert.equal(conflicts, 1)
      assert.equal(readFileSync(join(pair.there, 'src/a'), 'utf8'), 'by the command\n')
      const kept = change === 'edited' ? 'src/a.remote-run' : 'src/a'
      assert.equal(readFileSync(join(pair.here, kept), 'utf8'), 'by the command\n')
      assert.equal(readFileSync(join(pair.there, 'src/b'), 'utf8'), 'edited')
    })
  }
})

for (const { name: tools, skip } of toolsets) {
  suite(`what the command writes in the last moment, with the programs of ${tools}`, { skip }, () => {
    for (const [moment, program] of [
      ['right before it is kept', 'ln'],
      ['right after', 'mv'],
    ] as const) {
      for (const change of ['edited', 'deleted']) {
        test(`is not lost to what is ${change} here: ${moment}`, bounded, async () => {
          const files = { 'src/a': 'a', 'src/b': 'b', "it's": 'a' }
          await using pair = await Pair.begin((root) => write(root, files), { pod: { tools } })
          if (change === 'edited') write(pair.here, { 'src/a': 'edited', "it's": 'edited' })
          else rmSync(join(pair.here, 'src/a'))
          write(pair.here, { 'src/b': 'edited' })
          pair.before('', `for f in src/a "it's"; do echo by the command >"${pair.there}/$f"; done`, program)
          await pair.settle()
          await pair.back.finish()
          assert.equal(readFileSync(join(pair.there, 'src/b'), 'utf8'), 'edited')
          const kept = change === 'edited' ? ['src/a.remote-run', "it's.remote-run"] : ['src/a']
          for (const path of kept) {
            assert.equal(readFileSync(join(pair.here, path), 'utf8'), 'by the command\n')
            assert.equal(readFileSync(join(pair.there, path.replace('.remote-run', '')), 'utf8'), 'by the command\n')
          }
        })
      }
    }

    test('is not lost to what is new here', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a' }), { pod: { tools } })
      write(pair.here, { 'd/new': 'mine', other: 'mine' })
      pair.before('', `mkdir -p '${pair.there}/d'; echo by the command >'${pair.there}/d/new'`, 'ln')
      await pair.settle()
      const { conflicts } = await pair.back.finish()
      assert.equal(conflicts, 1)
      assert.equal(readFileSync(join(pair.here, 'd/new.remote-run'), 'utf8'), 'by the command\n')
      assert.equal(readFileSync(join(pair.there, 'other'), 'utf8'), 'mine')
    })
  })
}

for (const program of ['ln', 'stat']) {
  test(`an image without ${program} gets what is edited here all the same`, bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'a', 'd/b': 'b' }), { pod: { without: [program] } })
    write(pair.here, { a: 'mine', 'd/new': 'mine' })
    rmSync(join(pair.here, 'd/b'))
    await pair.settle()
    assert.deepEqual(treeOf(pair.there), treeOf(pair.here))
    assert.deepEqual(await pair.back.finish(), { files: 0, conflicts: 0, isIncomplete: false })
  })
}

suite('what nothing comes from', () => {
  const setup = { sync: { ignore: true } }
  const files = { '.warpignore': 'modules\n', a: 'a', 'd/b': 'b' }
  const modules = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`modules/${n}`, 'x']))

  test('is not looked into while the command runs, and counts as soon as it comes', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    write(pair.there, modules)
    await pair.settle()
    write(pair.there, { 'modules/new': 'new', result: 'x' })
    rmSync(join(pair.there, 'modules/7'))
    await pair.settle()
    assert.deepEqual(readdirSync(pair.here).toSorted(), ['.warpignore', 'a', 'd', 'result'])
    write(pair.here, { '.warpignore': '' })
    await pair.settle()
    await pair.back.finish()
    assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
    assert.equal(readFileSync(join(pair.here, 'modules/new'), 'utf8'), 'new')
    assert.equal(existsSync(join(pair.here, 'modules/7')), false)
  })

  test('a new file does not go over what has come in the place of its folder', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    await pair.settle()
    rmSync(join(pair.there, 'd'), { recursive: true })
    write(pair.there, { d: 'hours of work' })
    write(pair.here, { 'd/x': 'mine' })
    await pair.up.tree.retake()
    await pair.back.exchange(60_000).run(pair.remote)
    assert.equal(readFileSync(join(pair.there, 'd'), 'utf8'), 'hours of work')
    const { conflicts } = await pair.back.finish()
    assert.equal(conflicts, 1)
    assert.equal(readFileSync(join(pair.here, 'd.remote-run'), 'utf8'), 'hours of work')
  })

  test('what is saved here does not wait for a listing there', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    await pair.settle()
    const find = join(pair.pod.bin, 'find')
    const real = realpathSync(find)
    rmSync(find)
    const noListing = 'case "$*" in *-mindepth*) echo broken >&2; exit 2 ;; esac'
    writeFileSync(find, `#!/bin/sh\n${noListing}\nexec ${real} "$@"\n`, { mode: 0o755 })
    write(pair.here, { a: 'mine' })
    // This fresh, it would count as changing.
    while (Date.now() - statSync(join(pair.here, 'a')).ctimeMs < 30) await nextTurn()
    await pair.up.tree.retake()
    const { run } = pair.back.exchange(1)
    assert.deepEqual((await run(pair.remote))?.paths, ['a'])
    write(pair.here, { a: 'mine again' })
    await pair.up.tree.retake()
    await assert.rejects(run(pair.remote), /broken/)
  })

  test('a folder that goes is first listed, however long the interval', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    await pair.settle()
    write(pair.there, { 'd/new': 'of the command' })
    rmSync(join(pair.here, 'd'), { recursive: true })
    write(pair.here, { d: 'mine' })
    await pair.up.tree.retake()
    const { run } = pair.back.exchange(60_000)
    for (let round = 0; round < 4; round += 1) await run(pair.remote)
    await pair.back.finish()
    const names = readdirSync(pair.here, { recursive: true }).map(String)
    assert.deepEqual(names.filter((name) => name.endsWith('new')).length, 1, names.join(' '))
    assert.equal(readFileSync(join(pair.here, 'd'), 'utf8'), 'mine')
  })
})

suite('ignore files that the command changes', () => {
  const sync = { ignore: true }
  const secrets = { '.warpignore': 'private\n', '.env': 'KEY', '.gitignore': '.env\n', 'private/key': 'KEY', a: 'a' }
  const fill = (root: string): void => {
    execFileSync('git', ['init', '-q', root])
    write(root, secrets)
  }

  for (const [change, make] of [
    ['writes', (root: string) => write(root, { '.gitignore': '!*\n', '.warpignore': '' })],
    ['removes', (root: string) => ['.gitignore', '.warpignore'].forEach((name) => rmSync(join(root, name)))],
    [
      'replaces by links',
      (root: string) =>
        ['.gitignore', '.warpignore'].forEach((name) => {
          rmSync(join(root, name))
          symlinkSync('a', join(root, name))
        }),
    ],
  ] as const) {
    test(`let nothing go up when it ${change} them`, bounded, async () => {
      await using pair = await Pair.begin(fill, { sync })
      make(pair.there)
      await pair.settle()
      write(pair.here, { 'private/new': 'KEY', b: 'b' })
      await pair.settle()
      assert.deepEqual(
        readdirSync(pair.there)
          .filter((name) => !name.startsWith('.w') && !name.startsWith('.g'))
          .toSorted(),
        ['a', 'b'],
      )
      assert.equal(readFileSync(join(pair.here, '.warpignore'), 'utf8'), 'private\n')
      const end = await pair.back.finish()
      assert.deepEqual([end.conflicts, end.isIncomplete, pair.warnings], [0, false, []])
      const [here, there] = [pair.here, pair.there].map((root) => {
        return treeOf(root).filter((line) => /^"\.(git|warp)ignore" /.test(line))
      })
      assert.deepEqual(here, there)
    })
  }

  for (const [what, fillWith, make] of [
    [
      'a link, and the file that it leads to',
      (root: string) => {
        write(root, { 'conf.d/rules': 'private\n' })
        symlinkSync('conf.d', join(root, 'conf'))
        rmSync(join(root, '.warpignore'))
        symlinkSync('conf/rules', join(root, '.warpignore'))
      },
      (root: string) => write(root, { 'conf.d/rules': '' }),
    ],
    [
      'a link, and a link on the way',
      (root: string) => {
        write(root, { 'conf.d/rules': 'private\n', 'other/rules': '' })
        symlinkSync('conf.d', join(root, 'conf'))
        rmSync(join(root, '.warpignore'))
        symlinkSync('conf/rules', join(root, '.warpignore'))
      },
      (root: string) => {
        rmSync(join(root, 'conf'))
        symlinkSync('other', join(root, 'conf'))
      },
    ],
    [
      'a file of git’s options',
      (root: string) => {
        write(root, { rules: 'private\n' })
        rmSync(join(root, '.warpignore'))
        execFileSync('git', ['-C', root, 'config', 'core.excludesFile', 'rules'])
      },
      (root: string) => write(root, { rules: '' }),
    ],
  ] as const) {
    test(`let nothing go up where they are ${what}`, bounded, async () => {
      await using pair = await Pair.begin((root) => [fill, fillWith].forEach((one) => one(root)), { sync })
      make(pair.there)
      await pair.settle()
      write(pair.here, { b: 'b' })
      await pair.settle()
      assert.deepEqual([existsSync(join(pair.there, 'private')), existsSync(join(pair.there, 'b'))], [false, true])
      const end = await pair.back.finish()
      assert.deepEqual([end.conflicts, end.isIncomplete, existsSync(join(pair.there, 'private'))], [0, false, false])
      assert.deepEqual(
        treeOf(pair.here).filter((line) => !/^"(\.git["/]|\.env"|private)/.test(line)),
        treeOf(pair.there),
      )
    })
  }

  test('come at the end, and what they are about to let go is written over by no policy', bounded, async () => {
    await using pair = await Pair.begin(fill, { sync, back: { onConflict: 'remote', patterns: ['.env'] } })
    write(pair.there, { '.gitignore': '', '.env': 'theirs' })
    await pair.settle()
    await pair.back.finish()
    assert.deepEqual(
      ['.env', '.env.remote-run', '.gitignore'].map((name) => readFileSync(join(pair.here, name), 'utf8')),
      ['KEY', 'theirs', ''],
    )
  })

  test('do not go with a folder that the user moves', bounded, async () => {
    await using pair = await Pair.begin(fill, { sync })
    write(pair.here, { 'd/.gitignore': 'key\n', 'd/key': 'KEY' })
    await pair.settle()
    write(pair.there, { 'd/.gitignore': '' })
    await pair.settle()
    renameSync(join(pair.here, 'd'), join(pair.here, 'e'))
    await pair.settle()
    await pair.back.finish()
    assert.deepEqual(readdirSync(join(pair.there, 'e')), ['.gitignore'])
  })

  test('are in conflict with what the user writes', bounded, async () => {
    await using pair = await Pair.begin(fill, { sync })
    write(pair.there, { '.warpignore': '# nothing\n' })
    await pair.settle()
    write(pair.here, { '.warpignore': '# mine\n' })
    await pair.settle()
    assert.equal(readFileSync(join(pair.there, 'private/key'), 'utf8'), 'KEY')
    const { conflicts } = await pair.back.finish()
    assert.equal(conflicts, 1)
    assert.equal(readFileSync(join(pair.here, '.warpignore'), 'utf8'), '# mine\n')
    assert.equal(readFileSync(join(pair.here, '.warpignore.remote-run'), 'utf8'), '# nothing\n')
  })

  test('are the pod’s own where something else is here, and a repository in the tree stays one', bounded, async () => {
    const nested = (root: string): void => {
      write(root, { '.gitignore': '*.log\n', d: 'a file' })
      for (const path of [root, join(root, 'sub')]) execFileSync('git', ['init', '-q', path])
      write(root, { 'sub/x.log': '1' })
    }
    await using pair = await Pair.begin(nested, { sync })
    rmSync(join(pair.there, 'd'))
    write(pair.there, { 'd/x': 'x', 'v/.gitignore': '*\n', 'sub/x.log': 'changed' })
    const { isIncomplete } = await pair.back.finish()
    assert.equal(isIncomplete, false)
    assert.equal(readFileSync(join(pair.here, 'd/x'), 'utf8'), 'x')
    assert.equal(readFileSync(join(pair.here, 'sub/x.log'), 'utf8'), 'changed')
  })

  test('do not take out what went up', bounded, async () => {
    const files = { 'd/a': '1', 'd/b': '1', 'd/e/c': '1', 'd/gone': '1', sub: '1' }
    await using pair = await Pair.begin((root) => write(root, files), { sync })
    write(pair.there, { '.gitignore': 'd\n', 'd/new': 'new', 'd/a': '2', 'd/b': 'of the command' })
    rmSync(join(pair.there, 'd/gone'))
    await pair.settle()
    assert.equal(readFileSync(join(pair.here, 'd/a'), 'utf8'), '2')
    write(pair.there, { 'd/b': 'changed again' })
    write(pair.here, { 'd/b': 'mine' })
    await pair.settle()
    const { conflicts } = await pair.back.finish()
    assert.deepEqual(
      [
        conflicts,
        readFileSync(join(pair.here, 'd/b.remote-run'), 'utf8'),
        readdirSync(join(pair.here, 'd')).toSorted(),
      ],
      [1, 'changed again', ['a', 'b', 'b.remote-run', 'e']],
    )
  })

  test('take out what comes back', bounded, async () => {
    await using pair = await Pair.begin(fill, { sync, back: { patterns: ['x/kept'] } })
    write(pair.there, {
      '.venv/.gitignore': '*\n',
      '.venv/lib/big': 'x',
      'x/.gitignore': 'target\nkept\n',
      'x/target/o': 'x',
      'x/kept': 'x',
      'x/src': 'x',
    })
    await pair.back.finish()
    const came = readdirSync(pair.here, { recursive: true, withFileTypes: true }).filter((item) => item.isFile())
    const names = came.map(({ parentPath, name }) => relative(pair.here, join(parentPath, name)))
    const own = [...Object.keys(secrets), 'x/.gitignore', 'x/kept', 'x/src']
    assert.deepEqual(names.filter((name) => !name.startsWith('.git/')).toSorted(), own.toSorted())
  })
})

suite('what the command moves to where nothing comes from', () => {
  const files = { 'a.txt': 'only here', 'src/b': 'b', 'src/c': 'c', 'src/d/e': 'e', kept: 'k' }
  const setup = { sync: { exclude: ['*.bak', '*.gz', 'dist'] } }

  test('stays here, and is said', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    renameSync(join(pair.there, 'a.txt'), join(pair.there, 'elsewhere.bak'))
    renameSync(join(pair.there, 'src'), join(pair.there, 'dist'))
    await pair.settle()
    assert.deepEqual(pair.warnings, [])
    const { isIncomplete, conflicts } = await pair.back.finish()
    assert.deepEqual([isIncomplete, conflicts], [true, 2])
    for (const [path, text] of Object.entries(files)) assert.equal(readFileSync(join(pair.here, path), 'utf8'), text)
    const moved = 'was moved in the pod to where nothing comes back from'
    const remedy = 'it stays; --return names what is to come back'
    assert.deepEqual([...new Set<string>(pair.warnings)].toSorted(), [
      `conflict: "a.txt" ${moved}, "elsewhere.bak": ${remedy}`,
      `conflict: "src" ${moved}, "dist/b": ${remedy}`,
    ])
  })

  test('stays as well where it is packed there, and goes where that was only for a while', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, files), setup)
    rmSync(join(pair.there, 'a.txt'))
    write(pair.there, { 'a.txt.gz': 'packed' })
    await pair.settle()
    assert.equal((await pair.back.finish()).isIncomplete, true)
    assert.equal(readFileSync(join(pair.here, 'a.txt'), 'utf8'), 'only here')
    rmSync(join(pair.there, 'a.txt.gz'))
    assert.equal((await pair.back.finish()).isIncomplete, false)
    assert.equal(existsSync(join(pair.here, 'a.txt')), false)
  })
})

suite('what is not to be touched', () => {
  test('is what is ignored here, and whatever git’s own folder is', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { '.warpignore': 'secret\n', secret: 'mine', a: 'a' }), {
      sync: { ignore: true },
      back: { patterns: ['*'] },
    })
    write(pair.there, { secret: 'theirs', '.git/hooks/pre-commit': 'x', 'd/.git/config': 'x' })
    await pair.back.finish()
    assert.equal(readFileSync(join(pair.here, 'secret'), 'utf8'), 'mine')
    assert.equal(readFileSync(join(pair.here, 'secret.remote-run'), 'utf8'), 'theirs')
    assert.equal(existsSync(join(pair.here, '.git')), false)
  })

  test('is what a link here leads to', bounded, async () => {
    await using outside = Object.assign(mkdtempDisposableSync(join(tmpdir(), 'kuberun-outside-')), {
      async [Symbol.asyncDispose]() {},
    })
    await using pair = await Pair.begin((root) => write(root, { 'd/a': 'a' }))
    rmSync(join(pair.here, 'd'), { recursive: true })
    symlinkSync(outside.path, join(pair.here, 'd'))
    write(pair.there, { 'd/a': 'new', 'd/b': 'new' })
    await pair.back.finish()
    assert.deepEqual(readdirSync(outside.path), [])
    outside.remove()
  })

  test('is what the pod cannot list', bounded, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'a', 'b/c': 'c' }))
    renameSync(pair.there, `${pair.there}-away`)
    await assert.rejects(pair.back.finish(), { code: 'sync' })
    assert.deepEqual(treeOf(pair.here), treeOf(`${pair.there}-away`))
    renameSync(`${pair.there}-away`, pair.there)
  })
})

for (const { name, skip } of toolsets) {
  test(`a path that is too long is said, with the programs of ${name}`, { ...bounded, skip }, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'a' }), { pod: { tools: name } })
    execFileSync('perl', ['-e', 'for (1..25) { mkdir $ARGV[0]; chdir $ARGV[0] }', 'd'.repeat(200)], { cwd: pair.there })
    write(pair.there, { result: 'x' })
    assert.equal((await pair.back.finish()).isIncomplete, true)
    assert.equal(readFileSync(join(pair.here, 'result'), 'utf8'), 'x')
    assert.match(pair.warnings.join('\n'), /not brought back: "d{100}…" \(its path is too long\)/)
    execFileSync('rm', ['-rf', ...readdirSync(pair.there)], { cwd: pair.there })
    execFileSync('rm', ['-rf', ...readdirSync(pair.here)], { cwd: pair.here })
  })

  test(`a FIFO takes the place of nothing, with the programs of ${name}`, { ...bounded, skip }, async () => {
    await using pair = await Pair.begin((root) => write(root, { a: 'a', b: 'b' }), { pod: { tools: name } })
    rmSync(join(pair.there, 'a'))
    execFileSync('mkfifo', [join(pair.there, 'a')])
    await pair.settle()
    await pair.back.finish()
    assert.equal(readFileSync(join(pair.here, 'a'), 'utf8'), 'a')
    assert.match(pair.warnings.join('\n'), /not brought back: "a" \(it is no file, folder or link\)/)
  })

  suite(`what the pod may not read, with the programs of ${name}`, { skip: skip || !isRoot }, () => {
    const setup = { pod: { tools: name, uid: nobody } }

    test('is as it was, and all else is synced', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a', 'locked/x/y': 'y', 'open/z': 'z' }), setup)
      chmodSync(join(pair.there, 'locked'), 0)
      writeFileSync(join(pair.there, 'result'), 'hours of work')
      rmSync(join(pair.there, 'open/z'))
      write(pair.here, { edit: 'mine', 'locked/x/y': 'mine' })
      await pair.settle()
      assert.equal(readFileSync(join(pair.there, 'edit'), 'utf8'), 'mine')
      const { isIncomplete } = await pair.back.finish()
      assert.equal(isIncomplete, true)
      assert.equal(readFileSync(join(pair.here, 'result'), 'utf8'), 'hours of work')
      assert.equal(readFileSync(join(pair.here, 'locked/x/y'), 'utf8'), 'mine')
      const [warning = '', ...others] = new Set(pair.warnings)
      assert.deepEqual(others, [])
      assert.equal(warning, 'what is in the folder "locked" does not come back: the pod may not read it')
      chmodSync(join(pair.there, 'locked'), 0o755)
      await pair.settle()
      assert.equal(readFileSync(join(pair.there, 'locked/x/y'), 'utf8'), 'mine')
      const end = await pair.back.finish()
      assert.deepEqual([end.isIncomplete, existsSync(join(pair.here, 'open/z'))], [false, false])
    })

    test('is no result of the command where that was so before', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a' }), {
        ...setup,
        fillThere: (root) => mkdirSync(join(root, 'lost+found'), { mode: 0o700 }),
      })
      writeFileSync(join(pair.there, 'result'), 'x')
      assert.deepEqual(await pair.back.finish(), { files: 1, conflicts: 0, isIncomplete: false })
      assert.deepEqual(pair.warnings, [])
    })

    test('keeps nothing of another folder that was emptied', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a', 'd/b': 'b', 'd/c': 'c' }), {
        ...setup,
        fillThere: (root) => mkdirSync(join(root, 'lost+found'), { mode: 0o700 }),
      })
      rmSync(join(pair.there, 'd/b'))
      rmSync(join(pair.there, 'd/c'))
      await pair.settle()
      assert.deepEqual(readdirSync(join(pair.here, 'd')), [])
      assert.deepEqual(await pair.back.finish(), { files: 2, conflicts: 0, isIncomplete: false })
      assert.deepEqual(pair.warnings, [])
    })

    test('is nobody’s concern where nothing comes from', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a', '.warpignore': 'cache\n' }), {
        ...setup,
        sync: { ignore: true },
      })
      for (const folder of ['cache', 'secret']) mkdirSync(join(pair.there, folder), { mode: 0o700 })
      await pair.settle()
      const end = await pair.back.finish()
      assert.equal(end.isIncomplete, true)
      const warning = 'what is in the folder "secret" does not come back: the pod may not read it'
      assert.deepEqual([...new Set(pair.warnings)], [warning])
      rmSync(join(pair.there, 'secret'), { recursive: true })
      assert.equal((await pair.back.finish()).isIncomplete, false)
    })

    test('is a file, and is said', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a' }), setup)
      write(pair.there, { secret: 'x', open: 'x' })
      chmodSync(join(pair.there, 'secret'), 0)
      assert.equal((await pair.back.finish()).isIncomplete, true)
      assert.deepEqual(readdirSync(pair.here), ['a', 'open'])
      assert.match(pair.warnings.join('\n'), /not brought back: "secret" \(in the pod: .*Permission denied\)/)
    })

    test('loses nothing here though it is all of it', bounded, async () => {
      await using pair = await Pair.begin((root) => write(root, { a: 'a', 'b/c': 'c' }), setup)
      chmodSync(pair.there, 0o311)
      const { isIncomplete, files } = await pair.back.finish()
      assert.deepEqual([isIncomplete, files], [true, 0])
      assert.deepEqual(manifest(pair.here, false).length, 3)
      chmodSync(pair.there, 0o755)
    })
  })
}

test('folders in each other that only their owner may change come, and go', bounded, async () => {
  await using pair = await Pair.begin((root) => write(root, { a: 'a' }))
  const folders = ['d', 'd/e', 'd/e/f', 'd/e/f/g']
  const chmod = (mode: number): void => folders.forEach((folder) => chmodSync(join(pair.there, folder), mode))
  write(pair.there, { 'd/e/f/g/h': 'x' })
  chmod(0o555)
  await pair.settle()
  assert.deepEqual(treeOf(pair.here), treeOf(pair.there))
  chmod(0o755)
  rmSync(join(pair.there, 'd'), { recursive: true })
  await pair.settle()
  assert.deepEqual(readdirSync(pair.here), ['a'])
})

test('what is larger than what is free here is not begun', bounded, async () => {
  await using pair = await Pair.begin(() => {})
  const { bavail, bsize } = statfsSync(pair.here)
  write(pair.there, { sparse: '', a: 'a' })
  truncateSync(join(pair.there, 'sparse'), bavail * bsize + 2 ** 30)
  const { isIncomplete, files } = await pair.back.finish()
  assert.deepEqual([isIncomplete, files], [true, 1])
  assert.deepEqual(pair.warnings, ['not brought back: "sparse" (no space is left for all of it)'])
})

test('what can have no place here is said, and all else comes back', bounded, async () => {
  await using pair = await Pair.begin(() => {})
  write(pair.there, { a: 'a', b: 'b', 'git~1': 'x' })
  chmodSync(join(pair.there, 'b'), 0o4755)
  const { isIncomplete, files } = await pair.back.finish()
  assert.deepEqual([isIncomplete, files], [true, 2])
  assert.deepEqual(pair.warnings, [
    '"b": it is here without its setuid and setgid bits',
    'not brought back: "git~1" ("git~1" is git\'s)',
  ])
})

function textsOf(root: string, side: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => readFileSync(join(item.parentPath, item.name), 'utf8'))
    .filter((text) => text.startsWith(side))
}
