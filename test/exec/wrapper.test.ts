import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { InputMode } from '../../src/exec/wrapper.ts'
import { holderCommand } from '../../src/pod/holder.ts'
import { startContainer } from '../support/container.ts'
import { shells } from '../support/shells.ts'
import { run, Wrapped } from '../support/wrapped.ts'

const bounded = { timeout: 20_000 }
const together = { concurrency: 4 }

suite('the wrapper', together, () => {
  for (const { name, shell } of shells) {
    /** A container whose shell is this one. */
    const start = () => startContainer(holderCommand(shell, 60_000))

    suite(`under ${name}`, together, () => {
      for (const [command, exitCode] of [
        [['true'], 0],
        [['sh', '-c', 'exit 1'], 1],
        [['sh', '-c', 'exit 255'], 255],
        [['sh', '-c', 'kill -9 $$'], 137],
        [['/etc/passwd'], 126],
        [['no-such-program'], 127],
        // The shell's own words are no programs.
        [['exit', '3'], 127],
        [['export', 'A=1'], 127],
      ] as const) {
        test(
          `tells that \`${command.join(' ')}\` ended with ${exitCode}, and then exits with it itself`,
          bounded,
          async () => {
            await using container = await start()
            const wrapped = new Wrapped(container, { shell, command })
            assert.deepEqual(await wrapped.end(), { exitCode, outOfMemory: false, podEnding: false })
            assert.ok(wrapped.started)
            assert.equal(await wrapped.acknowledge(), exitCode)
          },
        )
      }

      test('gives stdout and stderr byte for byte, and adds nothing', bounded, async () => {
        await using container = await start()
        const script = 'printf "\\376\\000\\377"; printf "e\\200" >&2; kill -9 $$'
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', script] })
        assert.equal((await wrapped.end())?.exitCode, 137)
        assert.equal(wrapped.stdout, '\xfe\0\xff')
        assert.equal(wrapped.stderr, 'e\x80')
      })

      for (const [mode, stdin, expected] of [
        ['none', '', '0'],
        ['open', '12345', '5'],
        ['ask', 'open\n12345', '5'],
        ['ask', 'framed\n3\n1232\n450\n', '5'],
        ['ask', 'framed\n0\n', '0'],
        // A line as the only block, which is no framing.
        ['ask', 'framed\n4\n10\n\n0\nignored', '4'],
      ] as [InputMode, string, string][]) {
        test(`brings stdin (${mode}, ${JSON.stringify(stdin)}) to the command`, bounded, async () => {
          await using container = await start()
          const wrapped = new Wrapped(container, { shell, input: mode, command: ['wc', '-c'] })
          wrapped.process.stdin.write(stdin)
          // v4 has no end of stdin: with the framing there must be none.
          if (!stdin.startsWith('framed')) wrapped.process.stdin.end()
          assert.equal((await wrapped.end())?.exitCode, 0)
          assert.equal(wrapped.stdout.trim(), expected)
        })
      }

      test('unframes a megabyte', bounded, async () => {
        await using container = await start()
        const wrapped = new Wrapped(container, { shell, input: 'ask', command: ['md5sum'] })
        const block = Buffer.alloc(262_144, 'block\n')
        wrapped.process.stdin.write('framed\n')
        for (let n = 0; n < 4; n++) {
          wrapped.process.stdin.write(`${block.length}\n`)
          wrapped.process.stdin.write(block)
        }
        wrapped.process.stdin.write('0\n')
        await wrapped.end()
        const { createHash } = await import('node:crypto')
        const sum = createHash('md5')
          .update(Buffer.concat([block, block, block, block]))
          .digest('hex')
        assert.equal(wrapped.stdout, `${sum}  -\n`)
      })

      for (const [input, first] of [
        ['none', ''],
        ['ask', 'framed\n'],
      ] as [InputMode, string][]) {
        for (const signal of ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2']) {
          test(
            `outlives ${signal} to the group (${input}, ${first.trim() || 'nothing'}), the command's trap runs`,
            bounded,
            async () => {
              await using container = await start()
              // A shell says on its stderr what a signal did to its children.
              const script = `exec 2>/dev/null; trap "echo bye; exit 7" ${signal}; echo ready; while :; do sleep 0.02; done`
              const wrapped = new Wrapped(container, { shell, input, command: ['sh', '-c', script] })
              wrapped.process.stdin.write(first)
              await wrapped.said('ready')
              await run(container, `read -r p </dev/shm/kuberun.pid && kill -s ${signal} -- "-$p"`)
              assert.equal((await wrapped.end())?.exitCode, 7)
              assert.equal(wrapped.stdout, 'ready\nbye\n')
              assert.equal(wrapped.stderr, '')
              wrapped.process.stdin.end()
              assert.equal(await wrapped.acknowledge(), 7)
            },
          )
        }
      }

      test('tells the exit code of a command that a signal to the group ends', bounded, async () => {
        await using container = await start()
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', 'echo ready; exec sleep 1000'] })
        await wrapped.said('ready')
        await run(container, 'read -r p </dev/shm/kuberun.pid && kill -s INT -- "-$p"')
        assert.equal((await wrapped.end())?.exitCode, 130)
        assert.equal(wrapped.stderr, '')
        assert.equal(await wrapped.acknowledge(), 130)
      })

      test('is ended by TERM once the command has ended', bounded, async () => {
        await using container = await start()
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', 'exit 4'] })
        await wrapped.end()
        await run(container, 'read -r p </dev/shm/kuberun.pid && kill -s INT -- "-$p"; kill -s TERM -- "-$p"')
        assert.equal(await wrapped.process.exitCode, 4)
      })

      test('does not wait for what the command left behind', bounded, async () => {
        await using container = await start()
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', 'sleep 1000 & exit 6'] })
        assert.equal((await wrapped.end())?.exitCode, 6)
      })

      test('starts a command once only', bounded, async () => {
        await using container = await start()
        const first = new Wrapped(container, { shell, command: ['sh', '-c', 'echo ready; sleep 1000'] })
        await first.said('ready')
        const second = new Wrapped(container, { shell, command: ['echo', 'again'] })
        assert.equal(await second.process.exitCode, 125)
        assert.equal(second.started, false)
        assert.equal(second.stdout, '')
        const { stdout } = await run(container, 'cat /dev/shm/kuberun.pid; ps -o pid=,args= | grep "[s]leep 1000"')
        assert.ok(stdout.includes('sleep 1000'))
      })

      test('runs the words that were brought before', bounded, async () => {
        await using container = await start()
        await run(container, `echo "set -- printf '[%s]' 'it'\\\\''s' ''" >/dev/shm/kuberun.args`)
        const wrapped = new Wrapped(container, { shell, command: [] })
        assert.equal((await wrapped.end())?.exitCode, 0)
        assert.equal(wrapped.stdout, "[it's][]")
      })

      test('gives the command a usual umask, and no descriptor of its own', bounded, async () => {
        await using container = await start()
        const script = 'umask; ls /proc/self/fd'
        const { stdout } = await run(container, `umask 022; ${script}`)
        const wrapped = new Wrapped(container, { shell, command: ['sh', '-c', script] })
        await wrapped.end()
        assert.equal(wrapped.stdout, stdout)
      })
    })
  }
})
