import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import type { SyncOptions } from '../../src/options.ts'
import { plainShell, type Shell } from '../../src/pod/shell.ts'
import { Remote } from '../../src/sync/remote/remote.ts'
import { Up } from '../../src/sync/up.ts'
import { edits, makeEdit } from '../support/edits.ts'
import { until } from '../support/events.ts'
import { full } from '../support/full.ts'
import { PodFolder } from '../support/pod-folder.ts'
import { syncOptions } from '../support/run-options.ts'
import { manifest } from '../support/trees.ts'

const bounded = { timeout: 60_000 }
const place = { target: { namespace: 'dev', pod: 'p', container: 'kuberun' }, remoteDir: '/workspace' }
const { signal } = new AbortController()
const isRoot = process.getuid?.() === 0

/** A local folder, a pod's, and what brings the one to the other. */
class Both implements AsyncDisposable {
  readonly local = mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
  readonly pod = new PodFolder()
  readonly warnings: string[] = []
  readonly up: Up
  remote!: Remote

  constructor(sync: Partial<SyncOptions> = {}) {
    const reporter = {
      warning: (text: string) => this.warnings.push(text),
      waiting: () => {},
      note: () => {},
      phase: () => {},
    }
    const options = syncOptions(this.local.path, sync)
    this.up = new Up({ root: this.local.path, sync: options, reporter, signal })
  }

  async open(shell: Shell = plainShell): Promise<void> {
    this.remote = await Remote.open(this.pod.client, { ...place, shell, signal })
  }

  async begin(): Promise<void> {
    await this.open()
    await this.up.tree.retake()
    await this.up.initial(this.remote, () => false)
  }

  /** Lists again, and sends until all is there. */
  async settle(): Promise<void> {
    await this.up.tree.retake()
    await this.send()
  }

  /** Sends until all is there. What has changed just now counts as changing, for some milliseconds. */
  async send(): Promise<void> {
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      if ((await this.up.send(this.remote)) === undefined && !this.up.isBehind) return
    }
    assert.fail('it is never done')
  }

  at(path: string): string {
    return join(this.local.path, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.remote.close()
    await this.pod.idle()
    this.pod[Symbol.dispose]()
    this.local[Symbol.dispose]()
  }
}

suite('what is sent up', () => {
  test(
    'makes the pod’s folder like the local one, whatever happens here, and whenever the exec dies',
    bounded,
    async () => {
      const batch = fc.record({
        edits: fc.array(edits, { minLength: 1, maxLength: 5 }),
        cut: fc.option(fc.integer({ min: 1, max: 9_000 }), { nil: undefined, freq: 2 }),
      })
      let cuts = 0
      await fc.assert(
        fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
          await using both = new Both()
          for (const edit of batches[0]?.edits ?? []) makeEdit(both.local.path, edit)
          await both.begin()
          assert.deepEqual(told(both.pod.root), told(both.local.path))
          for (const { edits: more, cut } of batches.slice(1)) {
            const changed = new Set(more.flatMap((edit) => makeEdit(both.local.path, edit)))
            await both.up.tree.refresh(changed)
            if (cut !== undefined) {
              both.remote.close()
              await both.pod.idle()
              both.pod.cutAfter = cut
              await both.open()
            }
            try {
              await both.send()
            } catch (error) {
              if (error instanceof assert.AssertionError) throw error
              cuts += 1
              await both.pod.idle()
              await both.open()
              await both.send()
            }
            assert.deepEqual(told(both.pod.root), told(both.local.path))
          }
        }),
        full ? { numRuns: 300, interruptAfterTimeLimit: 50_000 } : { numRuns: 12 },
      )
      assert.ok(cuts > 0)
    },
  )

  test('is not what is ignored, and what is ignored later stays there as it was', bounded, async () => {
    await using both = new Both({ ignore: true, exclude: ['*.o'] })
    for (const name of ['a', 'b', 'c.o', 'd']) writeFileSync(both.at(name), name)
    mkdirSync(both.at('e'))
    writeFileSync(both.at('e/f'), '')
    await both.begin()
    assert.deepEqual(readdirSync(both.pod.root).toSorted(), ['a', 'b', 'd', 'e'])
    writeFileSync(both.at('.gitignore'), 'b\nd\ne\n')
    writeFileSync(both.at('b'), 'changed')
    rmSync(both.at('d'))
    await both.settle()
    assert.deepEqual(namesIn(both.pod.root), ['.gitignore', 'a', 'b', 'e', 'e/f'])
    assert.equal(readFileSync(join(both.pod.root, 'b'), 'utf8'), 'b')
    rmSync(both.at('.gitignore'))
    await both.settle()
    assert.deepEqual(namesIn(both.pod.root), ['a', 'b', 'e', 'e/f'])
    assert.equal(readFileSync(join(both.pod.root, 'b'), 'utf8'), 'changed')
  })

  test('is at an end where what could not be sent is gone, or ignored', bounded, async () => {
    for (const edit of ['removed', 'ignored']) {
      await using both = new Both({ ignore: true })
      await both.begin()
      both.remote.close()
      writeFileSync(both.at('x'), '')
      await both.up.tree.retake()
      await assert.rejects(both.up.send(both.remote))
      assert.ok(both.up.isBehind)
      if (edit === 'removed') rmSync(both.at('x'))
      else writeFileSync(both.at('.gitignore'), 'x\n.gitignore\n')
      await both.open()
      await both.settle()
      assert.deepEqual(readdirSync(both.pod.root), [])
    }
  })

  test('is a file that changes while it is read, and that is removed there with the local one', bounded, async () => {
    await using both = new Both()
    writeFileSync(both.at('log'), Buffer.alloc(3_000_000, 'x'))
    await both.open()
    await both.up.tree.retake()
    const writing = setInterval(() => appendFileSync(both.at('log'), 'more'), 0)
    try {
      await both.up.initial(both.remote, () => false)
      assert.ok(both.up.isBehind)
      assert.ok(existsSync(join(both.pod.root, 'log')))
    } finally {
      clearInterval(writing)
    }
    rmSync(both.at('log'))
    await both.settle()
    assert.deepEqual(readdirSync(both.pod.root), [])
  })

  test('is removed there where it vanished as it was sent again after a failure', bounded, async () => {
    await using both = new Both()
    writeFileSync(both.at('x'), 'old')
    await both.begin()
    writeFileSync(both.at('x'), 'new')
    await both.up.tree.retake()
    both.remote.close()
    await assert.rejects(both.up.send(both.remote))
    await both.open()
    rmSync(both.at('x'))
    await both.up.send(both.remote)
    await both.settle()
    assert.deepEqual(readdirSync(both.pod.root), [])
  })

  test('is a folder again whose place a file had that vanished', bounded, async () => {
    await using both = new Both()
    mkdirSync(both.at('x'))
    await both.begin()
    rmSync(both.at('x'), { recursive: true })
    writeFileSync(both.at('x'), '')
    await both.up.tree.retake()
    rmSync(both.at('x'))
    await both.up.send(both.remote)
    mkdirSync(both.at('x'))
    await both.settle()
    assert.deepEqual(manifest(both.pod.root), manifest(both.local.path))
  })

  test('stays where the local folder cannot be looked into any more', { ...bounded, skip: !isRoot }, async () => {
    await using both = new Both()
    mkdirSync(both.at('closed'))
    writeFileSync(both.at('closed/x'), '')
    await both.begin()
    chmodSync(both.local.path, 0o755)
    chmodSync(both.at('closed'), 0o600)
    process.seteuid?.(65534)
    try {
      await both.up.tree.retake()
      assert.ok(!both.up.tree.entries.has('closed/x'))
      await both.up.send(both.remote)
    } finally {
      process.seteuid?.(0)
    }
    assert.ok(existsSync(join(both.pod.root, 'closed/x')))
  })

  test('fails with what the commands there complain of, and begins again by force', bounded, async () => {
    await using both = new Both()
    writeFileSync(both.at('x'), 'x')
    await both.begin()
    rmSync(join(both.pod.root, 'x'))
    mkdirSync(join(both.pod.root, 'x/y'), { recursive: true })
    writeFileSync(both.at('x'), 'new')
    await until(() => Date.now() - statSync(both.at('x')).ctimeMs > 30)
    await assert.rejects(both.settle(), {
      code: 'sync',
      message: /^the files could not be written to \/workspace in the pod: .*\/workspace\/x/,
    })
    assert.ok(both.remote.over.aborted)
    await both.pod.idle()
    await both.open()
    // This fresh, it counts as changing the first time that it is read.
    writeFileSync(both.at('x'), 'newer')
    await both.settle()
    assert.deepEqual(manifest(both.pod.root), manifest(both.local.path))
  })
})

suite('the sync exec', () => {
  test('is not opened where its volume cannot be used, and says why', bounded, async () => {
    using pod = new PodFolder()
    rmSync(pod.root, { recursive: true })
    const open = Remote.open(pod.client, { ...place, shell: plainShell, signal })
    await assert.rejects(open, { code: 'sync', message: /: \/workspace: Permission denied/, hint: /overrides/ })
  })

  test('is not waited for without end', bounded, async () => {
    using pod = new PodFolder()
    const silent = { command: ['sh', '-c', 'cat >/dev/null'], setup: '' }
    const open = Remote.open(pod.client, { ...place, shell: silent, patience: 100, signal })
    await assert.rejects(open, { code: 'connection', message: /did not begin within 0\.1 s/ })
    await pod.idle()
  })

  test('is not opened where programs are missing', bounded, async () => {
    using pod = new PodFolder({ without: ['tar', 'dd'] })
    const open = Remote.open(pod.client, { ...place, shell: plainShell, signal })
    await assert.rejects(open, { name: 'MissingPrograms', message: 'tar, dd' })
  })

  test('does its requests in their order, and none after one that failed', bounded, async () => {
    using pod = new PodFolder()
    const remote = await Remote.open(pod.client, { ...place, shell: plainShell, signal })
    const request = (...commands: string[]) => remote.request({ commands, archives: [] })
    await Promise.all([request('mkdir root/a'), request('rmdir root/a', 'mkdir root/b'), request('rmdir root/b')])
    const results = await Promise.allSettled([
      request('mkdir root/c'),
      request('echo "one reason" >&2', 'false'),
      request('mkdir root/d'),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    )
    for (const result of results.slice(1)) {
      assert.match(String((result as PromiseRejectedResult).reason), /one reason$/)
    }
    assert.deepEqual(readdirSync(pod.root), ['c'])
    await assert.rejects(request('true'), /one reason/)
    await pod.idle()
  })

  test('tells a failure’s last words, whatever was said before them', bounded, async () => {
    using pod = new PodFolder()
    const remote = await Remote.open(pod.client, { ...place, shell: plainShell, signal })
    const many =
      'n=0; while [ $n -lt 200 ]; do n=$((n + 1)); echo "tar: f: time stamp 2030 is 3 s in the future"; done >&2'
    const failing = remote.request({
      commands: [`{ ${many}; }`, '{ echo "tar: No space left on device" >&2; false; }'],
      archives: [],
    })
    await assert.rejects(failing, { message: /: tar: No space left on device$/, hint: /full/ })
    await pod.idle()
  })

  test('fails a request whose archive fails, and all after it', bounded, async () => {
    using pod = new PodFolder()
    const remote = await Remote.open(pod.client, { ...place, shell: plainShell, signal })
    await assert.rejects(remote.request({ commands: ['unpack root'], archives: [broken()] }), { message: 'gone' })
    await assert.rejects(remote.request({ commands: ['true'], archives: [] }), { message: 'gone' })
    remote.close()
    await pod.idle()
  })
})

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1024)
  throw new Error('gone')
}

function namesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()
}

/**
 * A manifest without repositories, which stay here, and without the times of folders: where nothing but its time has
 * changed, a folder is not sent again.
 */
function told(root: string): string[] {
  const lines = manifest(root).filter((line) => !/^"([^"]*\/)?\.git["/]/.test(line))
  return lines.map((line) => line.replace(/( folder \d+) \d+$/, '$1'))
}
