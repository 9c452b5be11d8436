import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openRuntime } from '../../src/sandbox/runtime/open.ts'
import { hasNamespaces } from '../support/container.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { isolations, openBox, processesOf, until } from './support/box.ts'

const bounded = { timeout: 60_000 }

/** Starts a process with a runtime of its own, some containers and an exec in it. */
async function startOther(isolation: string) {
  const program = fileURLToPath(new URL('support/other-runtime.ts', import.meta.url))
  const child = spawn(process.execPath, [program, isolation], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [folder] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, folder }
}

for (const { isolation, skip } of isolations(['root', 'user', 'chroot'])) {
  suite(`the end of a runtime, ${isolation}`, { skip, concurrency: 2 }, () => {
    test('leaves no process and no folder', bounded, async () => {
      const box = await openBox(isolation)
      const container = await box.start([
        'sh',
        '-c',
        'sleep 1000 & mkdir -p /var/tmp/a; chmod 0 /var/tmp/a; echo up; wait',
      ])
      const exec = await container.exec({ command: ['sh', '-c', 'echo up; sleep 1000'], stdin: true, tty: false })
      await Promise.all([box.printed('up\n'), once(exec.stdout, 'data')])
      exec.stderr?.resume()
      await box[Symbol.asyncDispose]()
      assert.deepEqual(await exec.ended, { code: 137 })
      assert.deepEqual(await processesOf(box.runtime.folder), [])
      assert.ok(!existsSync(box.runtime.folder))
    })

    test('that is killed leaves nothing after the next start', bounded, async () => {
      const { child, folder } = await startOther(isolation)
      assert.ok((await processesOf(folder)).length > 0)
      child.kill('SIGKILL')
      await once(child, 'close')
      // Without namespaces the kernel does not end them.
      if (isolation !== 'chroot') await until(async () => (await processesOf(folder)).length === 0)
      await using _next = await openRuntime({ isolation })
      assert.deepEqual(await processesOf(folder), [])
      assert.ok(!existsSync(folder))
    })

    test('is not brought about by the next start of another', bounded, async () => {
      await using box = await openBox(isolation)
      const container = await box.start(['sleep', '1000'])
      await using _next = await openRuntime({ isolation })
      assert.equal((await box.exec(container, ['true'])).code, 0)
    })

    test('images are looked up in the table, and BusyBox is one', bounded, async (t) => {
      const root = await mkdtemp(join(tmpdir(), 'kuberun-test-'))
      await using box = await openBox(isolation, [{ name: /^empty$/, root }])
      await assert.rejects(box.start(['sh'], { image: 'empty' }), /"sh": executable file not found/)
      await rm(root, { recursive: true })
      const container = await box.start(['sh', '-c', 'busybox | head -n1; readlink -f $(which ls)'], {
        image: 'docker.io/alpine:3',
      })
      await container.ended
      // A machine need not have one: then these images get the local userland, and nothing is to be told from it.
      if (!box.stdout.startsWith('BusyBox')) return t.skip('there is no BusyBox here')
      assert.match(box.stdout, /\/bin\/busybox\n$/)
    })
  })
}

test('an ordinary user has containers, too', {
  timeout: 120_000,
  skip: process.getuid?.() !== 0 ? 'the other tests are run as one' : !hasNamespaces && 'namespaces are forbidden here',
}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'kuberun-test-'))
  const [uid, gid] = [60001, 60001]
  await chown(home, uid, gid)
  const files = ['runtime.test.ts', 'runtime-exec.test.ts', 'runtime-ends.test.ts'].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  )
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files], {
    env: cleanEnvironment(home, { TMPDIR: home }),
    cwd: home,
    uid,
    gid,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let report = ''
  child.stdout.on('data', (data) => (report += data))
  const [code] = await once(child, 'close')
  assert.equal(code, 0, report)
  assert.deepEqual(await readdir(home), [])
  await rm(home, { recursive: true })
})
