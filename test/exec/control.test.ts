import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Control } from '../../src/exec/control.ts'
import { openKubeClient } from '../../src/kube/client.ts'
import { holderCommand } from '../../src/pod/holder.ts'
import type { Shell } from '../../src/pod/shell.ts'
import { until } from '../support/events.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { shells } from '../support/shells.ts'
import { run, Wrapped } from '../support/wrapped.ts'

const bounded = { timeout: 20_000 }
const [anyShell] = shells

interface Setting extends AsyncDisposable {
  server: ScriptedServer
  control: Control
  stop: AbortController
  container: Parameters<typeof run>[0]
}

/** A container on a server, and the control of it. */
async function setUp(shell: Shell, patience = 60_000): Promise<Setting> {
  const server = await ScriptedServer.start()
  server.life = () => {}
  const pod = server.pods.add({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'kuberun', command: holderCommand(shell, 60_000) }] },
  })
  await pod.start()
  const client = await openKubeClient({ kubeconfig: server.kubeconfig })
  const stop = new AbortController()
  const target = { namespace: 'dev', pod: 'p', container: 'kuberun' }
  assert.ok(pod.container)
  return {
    server,
    control: new Control(client, { target, shell, patience, signal: stop.signal }),
    stop,
    container: pod.container,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

suite('the control of a run', { concurrency: 8 }, () => {
  for (const { name, shell } of shells) {
    suite(`the control exec under ${name}`, { concurrency: 4 }, () => {
      for (const signal of ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2', 'WINCH']) {
        test(`brings ${signal} to the command, once`, bounded, async () => {
          await using setting = await setUp(shell)
          const other = signal === 'USR2' ? 'USR1' : 'USR2'
          const script = `exec 2>/dev/null; trap "echo got" ${signal}; trap "exit 4" ${other}; echo ready; while :; do sleep 0.02; done`
          const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', script] })
          await wrapped.said('ready')
          setting.control.kill(signal)
          await wrapped.said('got')
          // What comes later is told later: a second one would be there before.
          setting.control.kill(other)
          assert.equal((await wrapped.end())?.exitCode, 4)
          assert.equal(wrapped.stdout, 'ready\ngot\n')
        })
      }

      test('kills what ignores everything', bounded, async () => {
        await using setting = await setUp(shell)
        const script = 'trap "" INT TERM; echo ready; while :; do sleep 0.02; done'
        const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', script] })
        await wrapped.said('ready')
        setting.control.kill('KILL')
        assert.equal(await wrapped.process.exitCode, 137)
      })

      test('makes the pod stay while the command runs, and lets that end in peace', bounded, async () => {
        await using setting = await setUp(shell)
        const script = 'echo ready; until [ -e /dev/shm/kuberun.go ]; do sleep 0.02; done; exit 6'
        const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', script] })
        await wrapped.said('ready')
        assert.equal(await setting.control.keep(), true)
        assert.equal(wrapped.stdout, 'ready\n')
        setting.stop.abort()
        await run(setting.container, ': >/dev/shm/kuberun.go')
        assert.equal(await wrapped.process.exitCode, 6)
      })

      test('acknowledges the end and makes the pod stay', bounded, async () => {
        await using setting = await setUp(shell)
        const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', 'exit 6'] })
        await wrapped.end()
        assert.equal(await setting.control.keep(), true)
        assert.equal(await wrapped.process.exitCode, 6)
        // The holder waits for no more beats.
        const patient = 'until grep -qs 2147483647 /proc/[0-9]*/cmdline; do sleep 0.02; done; echo there'
        assert.equal((await run(setting.container, patient)).stdout, 'there\n')
      })
    })
  }

  suite('the control exec', { concurrency: 4 }, () => {
    const { shell } = anyShell as { shell: Shell }

    test('is opened when first needed, and one serves all', bounded, async () => {
      await using setting = await setUp(shell)
      assert.equal(setting.server.execs.length, 0)
      const before = setting.control.lastAnswer
      setting.control.beat()
      setting.control.beat()
      await until(() => setting.control.lastAnswer > before)
      const answered = setting.control.lastAnswer
      setting.control.beat()
      await until(() => setting.control.lastAnswer > answered)
      assert.equal(setting.server.execs.length, 1)
    })

    test('sends again what got no answer', bounded, async () => {
      await using setting = await setUp(shell)
      const received: string[] = []
      let execs = 0
      setting.server.exec = async (attempt) => {
        if (++execs > 2) return attempt.run()
        const stream = await attempt.accept()
        stream.ws.on('message', (message: Buffer) => {
          received.push(message.toString('latin1', 1))
          stream.reset()
        })
      }
      const before = setting.control.lastAnswer
      setting.control.kill('USR2')
      setting.control.beat()
      await until(() => setting.control.lastAnswer > before)
      assert.equal(execs, 3)
      assert.ok(received.length >= 2)
      for (const text of received) assert.match(text, /^(1 kill USR2|2 beat)\n/)
    })

    test('is opened again where it falls silent, without signals that are late', bounded, async () => {
      await using setting = await setUp(shell, 2_000)
      const script = 'trap "echo got" USR1; trap "exit 4" USR2; echo ready; while :; do sleep 0.02; done'
      const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', script] })
      await wrapped.said('ready')
      let execs = 0
      setting.server.exec = async (attempt) => {
        if (++execs > 1) return attempt.run()
        // It is there no more, as behind a firewall that has forgotten it.
        const { ws } = await attempt.accept()
        ws.pause()
      }
      const before = setting.control.lastAnswer
      setting.control.beat()
      setting.control.kill('USR1')
      await until(() => setting.control.lastAnswer > before)
      setting.control.kill('USR2')
      assert.equal((await wrapped.end())?.exitCode, 4)
      assert.equal(wrapped.stdout, 'ready\n')
      assert.equal(execs, 2)
    })

    test('that takes too long to be opened is tried again, with all that it was to bring', bounded, async () => {
      await using setting = await setUp(shell, 1_000)
      const script = 'trap "exit 4" USR1; echo ready; while :; do sleep 0.02; done'
      const wrapped = new Wrapped(setting.container, { shell, command: ['sh', '-c', script] })
      await wrapped.said('ready')
      let execs = 0
      setting.server.exec = (attempt) => (++execs > 1 ? attempt.run() : undefined)
      setting.control.kill('USR1')
      assert.equal((await wrapped.end())?.exitCode, 4)
      assert.equal(execs, 2)
    })

    test('gives up on keeping a pod where nothing answers', bounded, async () => {
      await using setting = await setUp(shell)
      setting.server.exec = (attempt) => attempt.refuse('403 Forbidden', '')
      assert.equal(await setting.control.keep(100), false)
    })

    test('ends with its signal', bounded, async () => {
      await using setting = await setUp(shell)
      const before = setting.control.lastAnswer
      setting.control.beat()
      await until(() => setting.control.lastAnswer > before)
      const execs = setting.server.execs.length
      setting.stop.abort()
      setting.control.beat()
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(setting.server.execs.length, execs)
    })
  })
})
