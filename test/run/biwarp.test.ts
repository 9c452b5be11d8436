import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import type { BackOptions, SyncOptions } from '../../src/options.ts'
import { until } from '../support/events.ts'
import type { ExecAttempt, ExecStream } from '../support/scripted-exec.ts'
import { type Ran, type RunSetup, runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { TestSignals } from '../support/signals.ts'

const bounded = { timeout: 60_000 }
const together = { concurrency: 3 }

/** The remote root, in a container that is none. */
const there = '/.kuberun-sync/root'

const back: BackOptions = { patterns: [], onConflict: 'keep-both', allowMassDelete: false, interval: 200 }
const plain = {
  remoteDir: '/workspace',
  exclude: [],
  include: [],
  ignore: true,
  maxUpload: 5e8,
  once: true,
  strict: false,
}

interface BiwarpSetup extends RunSetup {
  sync?: never
  with?: Partial<SyncOptions>
  back?: Partial<BackOptions>
}

/** Runs a command with a folder, in which it is there. */
function biwarp(server: ScriptedServer, dir: string, command: string, setup: BiwarpSetup = {}): Promise<Ran> {
  const { with: changed, back: how, ...rest } = setup
  const sync = { ...plain, dir, back: { ...back, ...how }, ...changed }
  return runOn(server, [`cd ${there} || exit; ${command}`], { program: 'biwarp', ...rest, sync })
}

/** A local folder with files in it. */
function folder(files: Readonly<Record<string, string>> = {}) {
  const local = mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(local.path, path, '..'), { recursive: true })
    writeFileSync(join(local.path, path), text)
  }
  return {
    path: local.path,
    at: (path: string) => join(local.path, path),
    read: (path: string) => readFileSync(join(local.path, path), 'utf8'),
    names: () => readdirSync(local.path).toSorted(),
    [Symbol.dispose]: () => local[Symbol.dispose](),
  }
}

function assertEnded({ error, result, stderr }: Ran, exitCode = 0): void {
  assert.equal(error, undefined)
  assert.equal(result?.exitCode, exitCode, stderr)
}

/** Does something as soon as the command says "ready". */
function whenReady(act: () => unknown): PassThrough {
  const output = new PassThrough()
  output.once('data', act)
  return output
}

function assertIncomplete({ error, stderr }: Ran): void {
  assert.ok(error instanceof KuberunError && error.code === 'sync', stderr)
  assert.match(error.message, /not all that it changed is here/)
}

/** Breaks the connection over which the pod's folder is read, when the command says "ready". @param then takes the next */
function breaking(server: ScriptedServer, then: (attempt: ExecAttempt) => unknown): PassThrough {
  let first: ExecStream | undefined
  let isBroken = false
  server.exec = (attempt) => {
    if (!attempt.argv.includes('kuberun-back')) return attempt.run()
    if (isBroken) return then(attempt)
    return attempt.run((stream, stdin) => {
      first = stream
      stream.feed(stdin)
    })
  }
  return whenReady(() => {
    isBroken = true
    first?.reset()
  })
}

/** Tells whether anybody has touched it. */
function stampOf(path: string): string {
  const { ino, ctimeNs } = statSync(path, { bigint: true })
  return `${ino} ${ctimeNs}`
}

suite('what a command does', together, () => {
  const both = { once: false }

  test('comes while it runs, and does not go round', bounded, async () => {
    using local = folder({ a: 'old' })
    await using server = await ScriptedServer.start()
    const output = new PassThrough()
    const command = `printf new >a; printf x >b; until [ -e seen ]; do sleep 0.05; done; stat -c '%i %Z' a b >before
      sleep 1; stat -c '%i %Z' a b | cmp - before`
    const running = biwarp(server, local.path, command, { output, with: both })
    await until(() => local.read('a') === 'new' && local.names().includes('b'))
    const stamps = ['a', 'b'].map((path) => stampOf(local.at(path)))
    writeFileSync(local.at('seen'), '')
    assertEnded(await running)
    assert.deepEqual(
      ['a', 'b'].map((path) => stampOf(local.at(path))),
      stamps,
    )
  })

  test('comes while it grows all the time, whole lines or not, and never as it was not', bounded, async () => {
    using local = folder()
    await using server = await ScriptedServer.start()
    const command = 'n=0; until [ -e seen ]; do n=$((n + 1)); echo "line $n" >>log; sleep 0.01; done; echo end >>log'
    const running = biwarp(server, local.path, command, { with: both })
    const sizes = new Set<number>()
    await until(() => {
      if (!local.names().includes('log')) return false
      const text = local.read('log')
      const lines = text.split('\n')
      // A beginning of what the command writes.
      assert.ok(
        lines.slice(0, -1).every((line, n) => line === `line ${n + 1}`),
        text.slice(-40),
      )
      sizes.add(text.length)
      return sizes.size > 1
    })
    writeFileSync(local.at('seen'), '')
    assertEnded(await running)
    assert.match(local.read('log'), /\nend\n$/)
  })

  test('that rewrites a file all the time in its place does not come as a mixture', bounded, async () => {
    using local = folder()
    await using server = await ScriptedServer.start()
    // Each version is one letter throughout, and longer than the last: by its size alone it has grown.
    const command = `n=1000; until [ $n = 1600 ]; do for c in a b c; do n=$((n + 1))
      head -c $((n * 1000)) /dev/zero | tr '\\0' $c | dd of=file bs=65536 conv=notrunc 2>/dev/null; done; done`
    let isOver = false
    const running = biwarp(server, local.path, command, { with: both }).finally(() => (isOver = true))
    await until(() => {
      const text = local.names().includes('file') ? local.read('file') : ''
      assert.ok(text === '' || text === (text[0] ?? '').repeat(text.length), 'a mixture')
      return isOver
    })
    assertEnded(await running)
    assert.equal(new Set(local.read('file')).size, 1)
  })

  test('and what changes here go both ways at once', bounded, async () => {
    using local = folder({ 'here/a': 'old', 'there/b': 'old', gone: 'x' })
    await using server = await ScriptedServer.start()
    const output = whenReady(() => {
      writeFileSync(local.at('here/a'), 'new')
      writeFileSync(local.at('here/c'), 'new')
      rmSync(local.at('gone'))
    })
    const command = `echo ready; printf new >there/b; rm -f nothing
      until [ "$(cat here/a)" = new ] && [ -e here/c ] && ! [ -e gone ]; do sleep 0.05; done`
    assertEnded(await biwarp(server, local.path, command, { output, with: both }))
    assert.deepEqual([local.read('here/a'), local.read('there/b'), local.read('here/c')], ['new', 'new', 'new'])
    assert.deepEqual(local.names(), ['here', 'there'])
  })

  test('is never written over by what changes here', bounded, async () => {
    using local = folder({ a: 'old' })
    await using server = await ScriptedServer.start()
    const output = whenReady(() => writeFileSync(local.at('a'), 'here'))
    const command = 'printf there >a; echo ready; sleep 2; cat a >copy'
    const ran = await biwarp(server, local.path, command, { output, with: both, back: { interval: 60_000 } })
    assertEnded(ran)
    assert.deepEqual([local.read('a'), local.read('copy')], ['here', 'there'])
    const saved = local.names().filter((name) => name.startsWith('a.remote-'))
    assert.deepEqual(saved.map(local.read), ['there'])
  })

  test('comes once more where it goes on', bounded, async () => {
    using local = folder({ a: 'old' })
    await using server = await ScriptedServer.start()
    const command = `for n in 1 2 3 4 5; do echo $n >>log; sleep 0.3; done; mv log done`
    assertEnded(await biwarp(server, local.path, command, { with: both }))
    assert.deepEqual(local.names(), ['a', 'done'])
    assert.equal(local.read('done'), '1\n2\n3\n4\n5\n')
  })
})

suite('what a command did', together, () => {
  test('comes back: what it made, changed, deleted and renamed, with links, modes and times', bounded, async () => {
    using local = folder({
      changed: 'old',
      deleted: 'x',
      'from/a': 'a',
      'from/b': 'b',
      'was a folder/in it': 'x',
      'was a file': 'x',
      kept: 'kept',
      'gone/deep/x': 'x',
    })
    const kept = stampOf(local.at('kept'))
    await using server = await ScriptedServer.start()
    const ran = await biwarp(
      server,
      local.path,
      `printf new >changed; rm deleted; mv from to; rm -r 'was a folder'; echo file >'was a folder'
      rm 'was a file'; mkdir 'was a file'; echo x >'was a file/x'; mkdir -p new/empty; printf '#!/bin/sh' >new/run
      chmod 750 new/run; chmod 700 new; ln -s run new/link; touch -d '2001-02-03 04:05:06' new/run; rm -r gone; exit 7`,
    )
    assertEnded(ran, 7)
    assert.deepEqual(local.names(), ['changed', 'kept', 'new', 'to', 'was a file', 'was a folder'])
    assert.equal(local.read('changed'), 'new')
    assert.deepEqual([local.read('to/a'), local.read('to/b')], ['a', 'b'])
    assert.equal(local.read('was a folder'), 'file\n')
    assert.equal(local.read('was a file/x'), 'x\n')
    assert.ok(statSync(local.at('new/empty')).isDirectory())
    assert.equal(readlinkSync(local.at('new/link')), 'run')
    const run = statSync(local.at('new/run'))
    assert.deepEqual([run.mode & 0o777, run.mtime.toISOString().slice(0, 4)], [0o750, '2001'])
    assert.equal(statSync(local.at('new')).mode & 0o777, 0o700)
    assert.equal(stampOf(local.at('kept')), kept)
    assert.equal(ran.stderr, '')
    assert.deepEqual(server.left, [])
  })

  test('is nothing where it has only looked', bounded, async () => {
    using local = folder({ a: 'a', 'b/c': 'c' })
    const before = ['a', 'b', 'b/c'].map((path) => stampOf(local.at(path)))
    await using server = await ScriptedServer.start()
    assertEnded(await biwarp(server, local.path, 'cat a b/c >/dev/null'))
    assert.deepEqual(
      ['a', 'b', 'b/c'].map((path) => stampOf(local.at(path))),
      before,
    )
    assert.deepEqual(local.names(), ['a', 'b'])
  })

  test('comes back with an --include alone, and nothing else does', bounded, async () => {
    using local = folder({ 'hello.1.txt': 'one', other: 'x' })
    await using server = await ScriptedServer.start()
    const command = 'ls; echo hello >hello.1.txt; echo x >new; mkdir d; echo x >d/hello.1.txt'
    const ran = await biwarp(server, local.path, command, { with: { include: ['hello.*.txt'] } })
    assertEnded(ran)
    assert.equal(ran.stdout.toString(), 'hello.1.txt\n')
    assert.equal(ran.stderr, '')
    assert.deepEqual(local.names(), ['d', 'hello.1.txt', 'other'])
    assert.equal(local.read('hello.1.txt'), 'hello\n')
    assert.equal(local.read('other'), 'x')
  })

  test('comes back where nothing went', bounded, async () => {
    using local = folder({ other: 'x' })
    await using server = await ScriptedServer.start()
    const ran = await biwarp(server, local.path, 'echo hello >new.txt', { with: { include: ['new.txt'] } })
    assertEnded(ran)
    assert.deepEqual([local.names(), ran.stderr], [['new.txt', 'other'], ''])
  })

  test('never touches what is ignored here, but for what --return names', bounded, async () => {
    using local = folder({ '.gitignore': 'node_modules\n.env\nbuild\n', '.env': 'mine', 'node_modules/a': 'mine' })
    await using server = await ScriptedServer.start()
    const command =
      'mkdir node_modules build; echo x >.env; echo x >node_modules/a; echo x >node_modules/b; echo x >build/out'
    assertEnded(await biwarp(server, local.path, command, { back: { patterns: ['build/**'] } }))
    assert.deepEqual(local.names(), ['.env', '.gitignore', 'build', 'node_modules'])
    assert.equal(local.read('.env'), 'mine')
    assert.deepEqual(readdirSync(local.at('node_modules')), ['a'])
    assert.equal(local.read('node_modules/a'), 'mine')
    assert.equal(local.read('build/out'), 'x\n')
  })

  test('does not write over what was never sent, though --return names it', bounded, async () => {
    using local = folder({ '.gitignore': 'build\n', 'build/out': 'mine' })
    await using server = await ScriptedServer.start()
    const ran = await biwarp(server, local.path, 'mkdir build; echo x >build/out', { back: { patterns: ['build/**'] } })
    assertEnded(ran)
    assert.equal(local.read('build/out'), 'mine')
    const [saved = ''] = [...local.names(), ...readdirSync(local.at('build'))].filter((name) =>
      name.includes('.remote-'),
    )
    assert.notEqual(saved, '', ran.stderr)
    assert.match(
      ran.stderr,
      /^warning: conflict: "build(\/out)?" was never sent, and is in the place of something in the pod: it stays, and the pod’s version is "build.*\.remote-\w{12}"; to have it go both ways, put "!\/build(\/out)?" in \.warpignore$/m,
    )
  })

  for (const onConflict of ['keep-both', 'local', 'remote', 'fail'] as const) {
    test(`is a conflict with what changed here meanwhile: ${onConflict}`, bounded, async () => {
      using local = folder({ a: 'old' })
      await using server = await ScriptedServer.start()
      const output = whenReady(() => {
        writeFileSync(local.at('a'), 'here')
        writeFileSync(local.at('go'), '')
      })
      const command = `echo ready; until [ -e ../../..${local.at('go')} ]; do sleep 0.05; done; printf there >a`
      const ran = await biwarp(server, local.path, command, { output, back: { onConflict } })
      if (onConflict === 'fail') assertIncomplete(ran)
      else assertEnded(ran)
      const saved = local.names().filter((name) => name.startsWith('a.remote-'))
      assert.equal(local.read('a'), onConflict === 'remote' ? 'there' : 'here')
      assert.equal(saved.length, onConflict === 'keep-both' ? 1 : 0)
      for (const name of saved) assert.equal(local.read(name), 'there')
      assert.match(ran.stderr, /^warning: conflict: "a" changed here and in the pod: /m)
    })
  }

  test('is not deleted here where that is most of it, unless that is allowed', bounded, async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`f${n}`, 'x']))
    await using server = await ScriptedServer.start()
    for (const allowMassDelete of [false, true]) {
      using local = folder(files)
      const ran = await biwarp(server, local.path, 'rm f*; echo x >new', { back: { allowMassDelete } })
      if (allowMassDelete) assertEnded(ran)
      else assertIncomplete(ran)
      assert.equal(local.names().length, allowMassDelete ? 1 : 13)
      if (!allowMassDelete) assert.match(ran.stderr, /deleted 12 of 12 files: .*--allow-mass-delete/)
    }
  })

  for (const [title, signal, exitCode] of [
    ['a command that Ctrl-C ends', 'INT', 130],
    ['one that takes TERM for its end', 'TERM', 143],
  ] as const) {
    test(`comes back of ${title}`, bounded, async () => {
      using local = folder({ a: 'old' })
      await using server = await ScriptedServer.start()
      const signals = new TestSignals()
      const output = whenReady(() => signals.send(signal))
      const ran = await biwarp(server, local.path, 'printf new >a; echo ready; exec sleep 60', { output, signals })
      assertEnded(ran, exitCode)
      assert.equal(local.read('a'), 'new')
      assert.deepEqual(server.left, [])
    })
  }

  for (const [title, setup, exitCode] of [
    ['by Ctrl-C', {}, 130],
    ['as it took too long', { timeout: 1_000 }, 124],
  ] as const) {
    test(`comes back of a command that has to be killed ${title}`, bounded, async () => {
      using local = folder({ a: 'old' })
      await using server = await ScriptedServer.start()
      const signals = new TestSignals()
      const output = whenReady(() => exitCode === 130 && signals.send('INT'))
      const command = "trap '' INT TERM; printf new >a; echo ready; while :; do sleep 1; done"
      const ran = await biwarp(server, local.path, command, { output, signals, gracePeriod: 500, ...setup })
      assertEnded(ran, exitCode)
      assert.equal(local.read('a'), 'new')
      assert.deepEqual(server.left, [])
    })
  }

  test('is given up at the second Ctrl-C', bounded, async () => {
    using local = folder({ a: 'old' })
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    const output = breaking(server, () => {
      // It never answers.
      signals.send('INT')
      setTimeout(() => signals.send('INT'), 200)
    })
    const ran = await biwarp(server, local.path, 'printf new >a; echo ready', { output, signals })
    assert.deepEqual(ran.result, { exitCode: 130, signal: 'INT' })
    assert.equal(local.read('a'), 'old')
    assert.match(ran.stderr, /Ctrl-C again/)
    assert.deepEqual(server.left, [])
    assert.equal(signals.listeners.size, 0)
  })

  test('that cannot be listed deletes nothing, and is a failure', bounded, async () => {
    using local = folder({ a: 'a', b: 'b' })
    await using server = await ScriptedServer.start()
    const output = breaking(server, (attempt) => attempt.run((stream) => stream.reset()))
    const ran = await biwarp(server, local.path, 'rm a b; echo ready', { output })
    assertIncomplete(ran)
    assert.deepEqual(local.names(), ['a', 'b'])
    assert.match(ran.stderr, /what the command changed is not all here: /)
  })

  for (const times of [1, 2]) {
    test(`comes over a connection that breaks: ${times} time`, bounded, async () => {
      using local = folder({ a: 'old' })
      await using server = await ScriptedServer.start()
      let broken = 1
      const output = breaking(server, (attempt) =>
        attempt.run((stream, stdin) => (++broken <= times ? stream.reset() : stream.feed(stdin))),
      )
      assertEnded(await biwarp(server, local.path, 'printf new >a; printf x >b; echo ready', { output }))
      assert.deepEqual([local.read('a'), local.read('b')], ['new', 'x'])
    })
  }

  test('is named where nothing can bring it: a FIFO, unless it is ignored', bounded, async () => {
    using local = folder({ '.gitignore': '*.tmp\n' })
    await using server = await ScriptedServer.start()
    const ran = await biwarp(server, local.path, 'mkfifo pipe x.tmp; echo x >file')
    assertEnded(ran)
    assert.deepEqual(local.names(), ['.gitignore', 'file'])
    assert.equal(ran.stderr, 'warning: not brought back: "pipe" (it is no file, folder or link)\n')
  })

  test('comes though nobody reads its output', bounded, async () => {
    using local = folder({ a: 'old' })
    await using server = await ScriptedServer.start()
    const output = new PassThrough()
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })).on('error', () => {})
    const { error } = await biwarp(server, local.path, 'printf new >a; echo x', { output })
    assert.equal((error as { code?: string }).code, 'stdio')
    assert.equal(local.read('a'), 'new')
    assert.deepEqual(server.left, [])
  })

  test('is the command’s own in each of several runs in one folder', bounded, async () => {
    using local = folder({ common: 'old' })
    await using server = await ScriptedServer.start()
    const runs = await Promise.all(
      ['1', '2', '3'].map((n) => biwarp(server, local.path, `sleep 0.$((4 - ${n})); echo ${n} >own.${n}`)),
    )
    for (const ran of runs) assertEnded(ran)
    assert.deepEqual(local.names(), ['common', 'own.1', 'own.2', 'own.3'])
  })
})
