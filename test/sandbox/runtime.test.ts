import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isolations, openBox } from './support/box.ts'

const bounded = { timeout: 30_000 }

for (const { isolation, skip } of isolations(['root', 'user'])) {
  suite(`a container, in namespaces as ${isolation}`, { skip, concurrency: 2 }, () => {
    test('has a hostname, process ids, a /tmp and an /etc/hosts of its own', bounded, async () => {
      await using box = await openBox(isolation)
      const script = 'hostname; cat /etc/hostname; echo $$; ls -A /tmp /dev/shm; id -u; grep -c pod-a /etc/hosts'
      const container = await box.start(['sh', '-c', script])
      assert.deepEqual(await container.ended, { code: 0 })
      assert.equal(box.stdout, 'pod-a\npod-a\n1\n/dev/shm:\n\n/tmp:\n0\n1\n')
    })

    test('writes to its root and leaves this machine as it is', bounded, async () => {
      await using box = await openBox(isolation)
      const script = 'echo a >/etc/kuberun-test && echo b >/kuberun-test && cat /etc/kuberun-test /kuberun-test'
      await (await box.start(['sh', '-c', script])).ended
      assert.equal(box.stdout, 'a\nb\n')
      assert.ok(!existsSync('/etc/kuberun-test') && !existsSync('/kuberun-test'))
    })

    test('can change and remove what the image has, if it can write there', bounded, async (t) => {
      if (isolation === 'user') return t.skip('an ordinary user cannot write what belongs to others')
      await using box = await openBox(isolation)
      const script =
        'rm -r /usr/share && mkdir /usr/share && ls -A /usr/share && echo x >>/etc/passwd && tail -n1 /etc/passwd'
      await (await box.start(['sh', '-c', script])).ended
      assert.equal(box.stdout, 'x\n')
      assert.doesNotMatch(await readFile('/etc/passwd', 'utf8'), /^x$/m)
    })

    test('shares a mounted folder with another, which may be read-only', bounded, async () => {
      await using box = await openBox(isolation)
      const from = await mkdtemp(join(tmpdir(), 'kuberun-test-'))
      const mounts = (at: string, readOnly = false) => ({ mounts: [{ from, at, readOnly }] })
      await (await box.start(['sh', '-c', 'echo hi >/var/lib/new/volume/a'], mounts('/var/lib/new/volume'))).ended
      await (await box.start(['sh', '-c', 'cat /data/a; : >/data/b'], mounts('/data', true))).ended
      assert.equal(box.stdout, 'hi\n')
      assert.match(box.stderr, /Read-only file system/)
      assert.deepEqual(await readdir(from), ['a'])
      await rm(from, { recursive: true })
    })

    test('has the uid and the gid that are asked for, also in an exec', bounded, async () => {
      await using box = await openBox(isolation)
      const container = await box.start(['sh', '-c', 'id -u; id -g; exec sleep 100'], { uid: 65532, gid: 65531 })
      const { stdout } = await box.exec(container, [
        'sh',
        '-c',
        'id -u; id -g; cat /proc/1/environ >/dev/null && echo ok',
      ])
      assert.equal(stdout, '65532\n65531\nok\n')
      await box.printed(stdout.slice(0, 12))
    })

    test('cannot write a read-only root, but /dev/shm and its volumes', bounded, async () => {
      await using box = await openBox(isolation)
      const from = await mkdtemp(join(tmpdir(), 'kuberun-test-'))
      const script = 'for f in /a /etc/a /tmp/a /dev/shm/a /data/a; do (: >$f) 2>/dev/null && echo $f; done'
      const mounts = [{ from, at: '/data', readOnly: false }]
      await (await box.start(['sh', '-c', script], { readOnlyRoot: true, mounts })).ended
      assert.equal(box.stdout, '/dev/shm/a\n/data/a\n')
      await rm(from, { recursive: true })
    })

    test('has no right over this machine', bounded, async () => {
      await using box = await openBox(isolation)
      const script =
        'mount -t tmpfs none /mnt || echo no; hostname x || echo no; echo 1 >/proc/sys/vm/swappiness || echo no'
      await (await box.start(['sh', '-c', `(${script}) 2>/dev/null`])).ended
      assert.equal(box.stdout, 'no\nno\nno\n')
    })

    test('has the given environment and the defaults, and nothing of ours', bounded, async () => {
      await using box = await openBox(isolation)
      const env = { 'odd.NAME': "it's\n$HOME", PATH: '/bin:/opt', EMPTY: '' }
      const container = await box.start(['env', '-0'], { env })
      await container.ended
      const expected = ['EMPTY=', 'HOME=/root', 'HOSTNAME=pod-a', 'PATH=/bin:/opt', "odd.NAME=it's\n$HOME"]
      assert.deepEqual(box.stdout.split('\0').filter(Boolean).toSorted(), expected)
    })

    test('starts in its working directory, which is made', bounded, async () => {
      await using box = await openBox(isolation)
      const container = await box.start(['sh', '-c', 'pwd; cd /; exec sleep 100'], { workingDir: '/opt/new/folder' })
      assert.equal((await box.exec(container, ['pwd'])).stdout, '/opt/new/folder\n')
    })

    test('gets TERM, and KILL ends all that runs in it', bounded, async () => {
      await using box = await openBox(isolation)
      const script = 'trap "echo term" TERM; setsid sleep 1000 & echo up; while :; do wait; done'
      const container = await box.start(['sh', '-c', script])
      await box.printed('up\n')
      const exec = box.exec(container, ['sh', '-c', 'echo in; sleep 1000'])
      await box.count(container, 'sleep', 2)
      container.signal('TERM')
      await box.printed('up\nterm\n')
      container.signal('KILL')
      assert.deepEqual(await container.ended, { code: 137 })
      assert.equal((await exec).code, 137)
      assert.deepEqual(await box.processes(), [])
    })
  })
}
