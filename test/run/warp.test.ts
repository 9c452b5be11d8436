import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, mkdtempDisposableSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { KuberunError } from '../../src/errors.ts'
import type { SyncOptions } from '../../src/options.ts'
import { until } from '../support/events.ts'
import type { ExecStream } from '../support/scripted-exec.ts'
import { type Ran, type RunSetup, runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { TestSignals } from '../support/signals.ts'

const bounded = { timeout: 60_000 }
const together = { concurrency: 3 }

/** The remote root, in a container that is none. */
const there = '/.kuberun-sync/root'

const plain = {
  remoteDir: '/workspace',
  exclude: [],
  include: [],
  ignore: true,
  maxUpload: 5e8,
  once: false,
  strict: false,
}

interface WarpSetup extends RunSetup {
  sync?: never
  with?: Partial<SyncOptions>
}

/** Runs a command with a folder. */
function warp(server: ScriptedServer, dir: string, command: string, setup: WarpSetup = {}): Promise<Ran> {
  const { with: changed, ...rest } = setup
  const sync = {
    ...plain,
    dir,
    ...changed,
  }
  return runOn(server, [command], { program: 'warp', ...rest, sync })
}

function folder() {
  return mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
}

function assertFine({ error, result }: Ran): void {
  assert.equal(error, undefined)
  assert.deepEqual(result, { exitCode: 0 })
}

/** It failed before the command was started, and left nothing behind. */
function assertNotStarted(server: ScriptedServer, { error, result }: Ran): KuberunError {
  assert.equal(result, undefined)
  assert.ok(error instanceof KuberunError, String(error))
  assert.deepEqual(
    server.execs.filter(({ kind }) => kind === 'command'),
    [],
  )
  assert.deepEqual(server.left, [])
  return error
}

/** Does something as soon as the command says "ready". */
function whenReady(act: () => unknown): PassThrough {
  const output = new PassThrough()
  output.once('data', act)
  return output
}

const waitFor = (name: string): string => `echo ready; until [ -e ${there}/${name} ]; do sleep 0.05; done`

suite('warp', together, () => {
  test('runs a command that finds the folder as it is, and nothing that is ignored', bounded, async () => {
    using local = folder()
    mkdirSync(join(local.path, 'a/b'), { recursive: true })
    for (const name of ['.gitignore', 'a/b/c', "it's", 'x.log']) writeFileSync(join(local.path, name), '*.log\n')
    await using server = await ScriptedServer.start()
    const ran = await warp(server, local.path, `cd ${there} && find . | LC_ALL=C sort`)
    assertFine(ran)
    assert.equal(ran.stdout.toString(), ".\n./.gitignore\n./a\n./a/b\n./a/b/c\n./it's\n")
    assert.deepEqual(server.left, [])
  })

  test('runs it with what has changed while the folder was on its way', bounded, async () => {
    using local = folder()
    for (const name of ['a', 'b']) writeFileSync(join(local.path, name), 'old')
    await using server = await ScriptedServer.start()
    server.exec = (attempt) =>
      attempt.run((stream, stdin) => {
        if (attempt.kind === 'sync') {
          stream.ws.once('message', () => {
            writeFileSync(join(local.path, 'a'), 'new')
            writeFileSync(join(local.path, 'c'), 'new')
          })
        }
        stream.feed(stdin)
      })
    const ran = await warp(server, local.path, `cd ${there} && cat a b c`)
    assertFine(ran)
    assert.equal(ran.stdout.toString(), 'newoldnew')
  })

  for (const how of ['breaks', 'ends']) {
    test(`never starts a command whose folder is not there, as the stream ${how} on the way`, bounded, async () => {
      using local = folder()
      for (let n = 0; n < 20; n += 1) writeFileSync(join(local.path, `${n}`), randomBytes(n * 1000))
      await using server = await ScriptedServer.start()
      let total = 0
      server.exec = (attempt) =>
        attempt.run((stream, stdin) => {
          if (attempt.kind === 'sync') stream.ws.on('message', (message: Buffer) => (total += message.length - 1))
          stream.feed(stdin)
        })
      assertFine(await warp(server, local.path, 'true'))
      assert.ok(total > 190_000)
      const near = [1, 3, 30, 60, total - 1, total - 4, total - 7]
      const cuts = [...near, ...Array.from({ length: 5 }, () => 1 + Math.floor(Math.random() * (total - 1)))]
      for (const cut of cuts) {
        server.execs.length = 0
        server.exec = (attempt) =>
          attempt.run((stream, stdin) => {
            if (attempt.kind !== 'sync') stream.feed(stdin)
            else stream.feedSome(stdin, cut, () => how === 'breaks' && stream.reset())
          })
        const { code, message } = assertNotStarted(server, await warp(server, local.path, 'true'))
        assert.ok(code === 'connection' || code === 'sync', `${cut}: ${code}`)
        assert.match(
          message,
          /connection to the API server lost|could not be written to \/workspace in the pod/,
          String(cut),
        )
      }
    })
  }

  for (const order of ['before', 'after'] as const) {
    test(
      `says why its pod ended under the upload, which the watch tells ${order} the stream breaks`,
      bounded,
      async () => {
        using local = folder()
        writeFileSync(join(local.path, 'large'), randomBytes(5_000_000))
        await using server = await ScriptedServer.start()
        const message = 'Usage of EmptyDir volume "kuberun-sync" exceeds the limit "1Mi". '
        const evict = async () => {
          const [pod] = server.pods.all.values()
          const told = () =>
            pod?.update(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'Evicted', message }))
          if (order === 'before') told()
          await pod?.kill()
          if (order === 'after') setImmediate(told)
        }
        server.exec = (attempt) =>
          attempt.run((stream, stdin) => {
            if (attempt.kind === 'sync') stream.ws.once('message', () => void evict())
            stream.feed(stdin)
          })
        const { code, message: said } = assertNotStarted(server, await warp(server, local.path, 'true'))
        assert.equal(code, 'pod')
        assert.match(said, /^pod "warp-\w+" ended while the folder went up: it was evicted: Usage of EmptyDir volume/)
      },
    )
  }

  test('brings what changes while the command runs', bounded, async () => {
    using local = folder()
    mkdirSync(join(local.path, 'sub'))
    await using server = await ScriptedServer.start()
    const output = whenReady(() => {
      mkdirSync(join(local.path, 'sub/new'))
      writeFileSync(join(local.path, 'sub/new/file'), '')
    })
    assertFine(await warp(server, local.path, waitFor('sub/new/file'), { output }))
  })

  test('sends nothing more with --once', bounded, async () => {
    using local = folder()
    writeFileSync(join(local.path, 'a'), '')
    await using server = await ScriptedServer.start()
    const syncs: ExecStream[] = []
    server.exec = async (attempt) => {
      // A sync that goes on would never be closed.
      if (attempt.kind === 'command') await Promise.all(syncs.map((stream) => stream.closed()))
      return attempt.run((stream, stdin) => {
        if (attempt.kind === 'sync') syncs.push(stream)
        stream.feed(stdin)
      })
    }
    assertFine(await warp(server, local.path, `[ -e ${there}/a ]`, { with: { once: true } }))
    assert.equal(syncs.length, 1)
  })

  test('opens a sync exec again that died, and the command goes on', bounded, async () => {
    using local = folder()
    await using server = await ScriptedServer.start()
    const syncs: ExecStream[] = []
    server.exec = (attempt) =>
      attempt.run((stream, stdin) => {
        if (attempt.kind === 'sync') syncs.push(stream)
        // The second dies in the midst of what it brings.
        if (attempt.kind === 'sync' && syncs.length === 2) stream.feedSome(stdin, 200, () => stream.reset())
        else stream.feed(stdin)
      })
    const output = whenReady(() => {
      syncs[0]?.reset()
      writeFileSync(join(local.path, 'late'), randomBytes(10_000))
    })
    const ran = await warp(server, local.path, `${waitFor('late')}; wc -c <${there}/late`, { output })
    assertFine(ran)
    assert.ok(syncs.length >= 3)
    assert.match(ran.stderr, /^warning: changes are not in the pod yet: .*; it is tried again$/m)
    assert.deepEqual(server.left, [])
  })

  test('says that an --include matches nothing', bounded, async () => {
    using local = folder()
    writeFileSync(join(local.path, 'a'), '')
    await using server = await ScriptedServer.start()
    const ran = await warp(server, local.path, 'true', { with: { include: ['nothing', 'n?ne'] } })
    assertFine(ran)
    assert.match(ran.stderr, /--include "nothing", "n\?ne" matches nothing that goes in "/)
  })

  test('fails where more would go than may, and names the largest', bounded, async () => {
    using local = folder()
    mkdirSync(join(local.path, 'models'))
    writeFileSync(join(local.path, 'models/large.bin'), Buffer.alloc(2_000_000))
    writeFileSync(join(local.path, 'small'), 'x')
    await using server = await ScriptedServer.start()
    const ran = await warp(server, local.path, 'true', { with: { maxUpload: 1_000_000 } })
    const { code, message, hint } = assertNotStarted(server, ran)
    assert.equal(code, 'usage')
    assert.match(message, /--max-upload=.*models\/large\.bin/)
    assert.match(hint ?? '', /--max-upload/)
  })

  for (const strict of [false, true]) {
    test(
      `${strict ? 'fails on' : 'warns of'} what cannot be read${strict ? ' with --strict' : ''}`,
      bounded,
      async () => {
        using local = folder()
        writeFileSync(join(local.path, 'a'), '')
        using deep = tooDeep(local.path)
        await using server = await ScriptedServer.start()
        const ran = await warp(server, local.path, `[ -e ${there}/a ]`, { with: { strict } })
        assert.ok(deep.path.length > 3_500)
        if (!strict) {
          assertFine(ran)
          assert.match(ran.stderr, /not sent: "d+\/.*" \(ENAMETOOLONG\)/)
          return
        }
        const { code, message, hint } = assertNotStarted(server, ran)
        assert.equal(code, 'local')
        assert.match(message, /^cannot read "d+\/.*": ENAMETOOLONG$/)
        assert.match(hint ?? '', /--strict/)
      },
    )
  }

  test('fails where there is no folder, before anything is made', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { code, message } = assertNotStarted(server, await warp(server, '/nothing/there', 'true'))
    assert.equal(code, 'usage')
    assert.match(message, /"\/nothing\/there"/)
    assert.deepEqual(server.of('create pod'), [])
  })
})

suite('a warp that is over', () => {
  for (const [title, command, exitCode] of [
    ['well', 'true', 0],
    ['with a failure', 'exit 3', 3],
    ['by a signal', 'echo ready; exec sleep 60', 143],
  ] as const) {
    test(`${title} leaves no listener, watch or timer`, bounded, async () => {
      using local = folder()
      mkdirSync(join(local.path, 'sub'))
      await using server = await ScriptedServer.start()
      const before = resources()
      const signals = new TestSignals()
      const input = new PassThrough()
      const output = whenReady(() => {
        appendFileSync(join(local.path, 'sub/x'), 'x')
        signals.send('TERM')
      })
      const ran = await warp(server, local.path, command, { signals, output, input })
      assert.equal(ran.result?.exitCode, exitCode)
      assert.equal(signals.listeners.size, 0)
      assert.deepEqual([input.listenerCount('data'), input.listenerCount('readable')], [0, 0])
      await until(() => resources() <= before)
    })
  }

  test('by a lost connection watches nothing when its folder is listed at last', bounded, async () => {
    using local = folder()
    using bin = folder()
    writeFileSync(join(bin.path, 'git'), '#!/bin/sh\nsleep 8\n', { mode: 0o755 })
    const path = process.env['PATH']
    process.env['PATH'] = `${bin.path}:${path}`
    try {
      await using server = await ScriptedServer.start()
      server.exec = (attempt) => (attempt.kind === 'control' ? attempt.reset() : attempt.run())
      const { error } = await warp(server, local.path, 'true', { pod: { orphanTimeout: 5_000 } })
      assert.ok(error instanceof KuberunError && error.code === 'connection', String(error))
      assert.ok(open('ProcessWrap') > 0)
      await until(() => open('ProcessWrap') === 0)
      // What follows the listing would have been done by then.
      await setTimeout(500)
      assert.equal(open('FSEventWrap'), 0)
    } finally {
      process.env['PATH'] = path
    }
  })
})

/** How many things are open that only a sync has. */
function resources(): number {
  return open('FSEventWrap') + open('Timeout')
}

function open(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length
}

/** A folder that not even root can read, as the way to it is longer than any may be. */
function tooDeep(root: string): Disposable & { path: string } {
  const [top, bottom] = [`${'d'.repeat(250)}/`.repeat(14), `${'b'.repeat(200)}/`.repeat(4)]
  const aside = mkdtempDisposableSync(join(tmpdir(), 'kuberun-deep-'))
  mkdirSync(join(root, top), { recursive: true })
  mkdirSync(join(aside.path, 'x', bottom), { recursive: true })
  const path = join(root, top, 'x')
  renameSync(join(aside.path, 'x'), path)
  return {
    path,
    [Symbol.dispose]: () => {
      // Too deep to be removed, too.
      if (existsSync(path)) renameSync(path, join(aside.path, 'x'))
      aside.remove()
    },
  }
}
