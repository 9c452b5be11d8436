import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { holderCommand } from '../../src/pod/holder.ts'
import { hasNamespaces, startContainer } from '../support/container.ts'
import { shells } from '../support/shells.ts'
import { run, Wrapped } from '../support/wrapped.ts'

const bounded = { timeout: 30_000 }
/** An orphan's time in which a busy machine has started a process in the container, in milliseconds. */
const startTime = 4_000
// Only in a namespace of its own is it process 1.
const together = { concurrency: 12, skip: !hasNamespaces }

suite('the holder', together, () => {
  for (const { name, shell } of shells) {
    suite(`under ${name}`, together, () => {
      test('is process 1, and alone', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, 60_000))
        const { stdout } = await run(
          container,
          'cat /proc/1/cmdline | tr "\\0" "\\n" | tail -n 2; ls -d /proc/[0-9]* | wc -l',
        )
        assert.match(stdout, /^kuberun-holder\n60\n/)
      })

      test('ends at once on TERM when there is no command', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, 60_000))
        await run(container, 'true')
        container.kill('SIGTERM')
        assert.equal(await container.exitCode, 0)
      })

      test('reaps what the command leaves', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, 60_000))
        const zombies = 'cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z "'
        const script = `for i in 1 2 3; do (sleep 0.0$i & sleep 0.05 &) ; done
        n=0; while [ "$(${zombies})" != 0 ] || pgrep -x sleep >/dev/null && [ "$(pgrep -cx sleep)" -gt 1 ]; do
          sleep 0.02; n=$((n + 1)); [ $n -lt 200 ] || exit 1
        done`
        assert.equal((await run(container, script)).code, 0)
      })

      // Kubernetes sends the image's own STOPSIGNAL: postgres has INT, nginx QUIT, httpd WINCH.
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGWINCH'] as const) {
        test(
          `makes a TERM of ${signal}, waits for the command, and notes that the pod is ending`,
          bounded,
          async () => {
            await using container = await startContainer(holderCommand(shell, 60_000))
            const script = 'trap "sleep 0.2; echo saved; exit 5" TERM; echo ready; while :; do sleep 0.02; done'
            const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', script] })
            await wrapped.said('ready')
            container.kill(signal)
            assert.deepEqual(await wrapped.end(), { exitCode: 5, outOfMemory: false, podEnding: true })
            assert.equal(wrapped.stdout, 'ready\nsaved\n')
            assert.equal(await wrapped.acknowledge(), 5)
            assert.equal(await container.exitCode, 0)
          },
        )
      }

      test('ends by itself, and the command with it, when no beat comes', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, startTime))
        const script = 'trap "echo asked; exit 5" TERM; echo ready; while :; do sleep 0.02; done'
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', script] })
        await wrapped.said('ready')
        assert.deepEqual(await wrapped.end(), { exitCode: 5, outOfMemory: false, podEnding: true })
        assert.equal(wrapped.stdout, 'ready\nasked\n')
        // Nobody acknowledges: after 5 s it ends all the same.
        assert.equal(await container.exitCode, 0)
        assert.equal(await wrapped.process.exitCode, 137)
      })

      test('stays with beats', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, startTime))
        const beats = await run(container, 'for i in 1 2 3 4 5 6; do sleep 1; kill -s USR1 1; done; echo alive')
        assert.equal(beats.stdout, 'alive\n')
        assert.equal(await container.exitCode, 0)
      })

      test('stays without beats when the pod is to be kept', bounded, async () => {
        await using container = await startContainer(holderCommand(shell, startTime))
        const kept = await run(container, ': >/dev/shm/kuberun.keep; kill -s USR1 1; sleep 5; echo alive')
        assert.equal(kept.stdout, 'alive\n')
        container.kill('SIGTERM')
        assert.equal(await container.exitCode, 0)
      })
    })
  }
})

test('the orphan time goes to the holder in whole seconds, rounded up', () => {
  const shell = { command: ['sh'], setup: 'PATH=$PATH:/x\n' }
  const [program, option, script, name, seconds] = holderCommand(shell, 1_001)
  assert.deepEqual([program, option, name, seconds], ['sh', '-c', 'kuberun-holder', '2'])
  assert.ok(script?.startsWith('PATH=$PATH:/x\n'))
})
