import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { after, before, suite, test } from 'node:test'
import { type Box, isolations, openBox, until } from './support/box.ts'

const bounded = { timeout: 60_000 }
const holder = ['sleep', '1000']

for (const { isolation, skip } of isolations(['root', 'user', 'chroot'])) {
  const hasNamespace = isolation !== 'chroot'
  // A chroot has no /proc, and so no /dev/stdin.
  const withProc = hasNamespace ? bounded : { skip: 'a chroot has no /proc' }

  suite(`an exec, ${isolation}`, { skip, concurrency: 2 }, () => {
    let box: Box
    before(async () => {
      box = await openBox(isolation)
    })
    after(() => box[Symbol.asyncDispose]())

    test('shows a part of a mounted folder, mounted as well, at both places', bounded, async () => {
      await using alone = await openBox(isolation)
      const from = await mkdtemp(join(tmpdir(), 'kuberun-test-'))
      await mkdir(join(from, 'part'))
      const mounts = [
        { from: join(from, 'part'), at: '/some/place', readOnly: false },
        { from, at: '/whole', readOnly: false },
      ]
      const script = 'echo one >/whole/part/a; mv /whole/part/a /whole/part/b; cat b; echo two >c; cat /whole/part/c'
      await (await alone.start(['sh', '-c', script], { mounts, workingDir: '/some/place' })).ended
      assert.equal(alone.stdout, 'one\ntwo\n')
      assert.deepEqual(await readdir(join(from, 'part')), ['b', 'c'])
      await rm(from, { recursive: true })
    })

    test('keeps stdout and stderr apart, and every byte', bounded, async () => {
      const container = await box.start(holder)
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      const end = await box.exec(container, ['sh', '-c', 'cat; echo err >&2'], { stdin: all })
      assert.deepEqual(end.bytes, all)
      assert.equal(end.stderr, 'err\n')
    })

    test('takes 50 MB each way', bounded, async () => {
      const container = await box.start(holder)
      const data = randomBytes(50_000_000)
      const { bytes } = await box.exec(container, ['cat'], { stdin: data })
      assert.ok(bytes.equals(data))
    })

    test('can open its streams again by /dev', withProc, async () => {
      const container = await box.start(holder, { uid: 65532 })
      const words = ['sh', '-c', 'cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin']
      const end = await box.exec(container, words, { stdin: 'in\n' })
      assert.deepEqual([end.stdout, end.stderr, end.code], ['in\nout\n', 'err\n', 0])
    })

    test('is held by a reader that does not read', bounded, async () => {
      const container = await box.start(holder)
      const words = [
        'sh',
        '-c',
        'i=0; while [ $i -lt 300 ]; do printf %01024d 0; i=$((i+1)); echo $i >/dev/shm/n; done',
      ]
      const exec = await container.exec({ command: words, stdin: false, tty: false })
      exec.stderr?.resume()
      const written = async () => Number((await box.exec(container, ['cat', '/dev/shm/n'])).stdout)
      await until(async () => (await written()) > 60)
      let last = -1
      await until(async () => last === (last = await written()))
      assert.ok(last < 200, `${last} KiB were written`)
      exec.stdout.resume()
      assert.deepEqual(await exec.ended, { code: 0 })
      assert.equal(await written(), 300)
    })

    for (const [script, code] of [
      ['exit 0', 0],
      ['exit 1', 1],
      ['exit 255', 255],
      ['kill -9 $$', 137],
      ['kill -15 $$', 143],
      ['kill -1 $$', 129],
    ] as const) {
      test(`ends with ${code} for \`${script}\``, bounded, async () => {
        const container = await box.start(holder)
        assert.equal((await box.exec(container, ['sh', '-c', script])).code, code)
        const other = await box.start(['sh', '-c', script])
        // No signal of its own ends the first process of a pid namespace.
        assert.equal((await other.ended).code, code > 128 && hasNamespace && code !== 255 ? 0 : code)
      })
    }

    test('tells what cannot be started with the words of runc', bounded, async () => {
      const container = await box.start(holder)
      for (const [program, fault] of [
        ['no-such', 'executable file not found in $PATH'],
        ['/no/such', 'stat /no/such: no such file or directory'],
        ['/etc/passwd', 'permission denied'],
        ['/tmp', 'is a directory'],
      ]) {
        const words = `unable to start container process: exec: "${program}": ${fault}: unknown`
        const command = [program ?? '']
        await assert.rejects(container.exec({ command, stdin: false, tty: false }), {
          name: 'ExecError',
          message: `OCI runtime exec failed: exec failed: ${words}`,
        })
        const task = 'failed to create containerd task: failed to create shim task: OCI runtime create failed'
        await assert.rejects(box.start(command), {
          name: 'StartError',
          message: `${task}: runc create failed: ${words}`,
        })
      }
    })

    test('leads a session and a process group of its own', withProc, async () => {
      const container = await box.start(holder)
      const { stdout } = await box.exec(container, [
        'sh',
        '-c',
        'read -r pid _ _ _ group session _ </proc/self/stat; echo $pid $group $session',
      ])
      assert.match(stdout, /^(\d+) \1 \1\n$/)
    })

    test('has a terminal, with a size, an echo and no end of input', bounded, async () => {
      const container = await box.start(holder)
      const sized = 'while [ "$(stty size 2>/dev/null)" != "37 101" ]; do sleep 0.02; done'
      const script = `[ -t 0 ] && echo $TERM; while read -r line; do echo "got $line"; [ "$line" = b ] && break; done; ${sized}; exit 3`
      const exec = await container.exec({ command: ['sh', '-c', script], stdin: true, tty: true })
      assert.equal(exec.stderr, undefined)
      let shown = ''
      exec.stdout.on('data', (data: Buffer) => (shown += data.toString()))
      await until(async () => shown.includes('xterm'))
      exec.stdin?.write('a\n')
      await until(async () => shown.includes('got a'))
      exec.resize({ columns: 1, rows: 1 })
      exec.resize({ columns: 101, rows: 37 })
      exec.stdin?.end('b\n')
      assert.deepEqual(await exec.ended, { code: 3 })
      assert.equal(shown, 'xterm\r\na\r\ngot a\r\nb\r\ngot b\r\n')
    })

    test('ends when those that have its streams have ended, too', bounded, async () => {
      const container = await box.start(holder)
      const end = await box.exec(container, ['sh', '-c', '(sleep 0.3; echo late) & echo early'])
      assert.equal(end.stdout, 'early\nlate\n')
    })

    test('is refused where the container has ended', bounded, async () => {
      const container = await box.start(['true'])
      await container.ended
      await assert.rejects(container.exec({ command: ['true'], stdin: false, tty: false }), /no running task found/)
    })

    test('leaves nothing open', bounded, async () => {
      const container = await box.start(holder)
      const exec = await container.exec({ command: ['true'], stdin: true, tty: false })
      exec.stdout.resume()
      exec.stderr?.resume()
      await exec.ended
      assert.ok(exec.stdin)
      await finished(exec.stdin).catch(() => {})
      assert.ok(exec.stdin.destroyed && exec.stdout.destroyed && exec.stderr?.destroyed)
    })
  })
}
