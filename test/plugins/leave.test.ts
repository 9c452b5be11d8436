import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

const bounded = { timeout: 20_000 }
const stuck = { timeout: 15_000, killSignal: 'SIGKILL' } as const
const [leave, signals] = ['leave', 'signals'].map((name) => new URL(`../../plugins/${name}.ts`, import.meta.url).href)

/** A program with more to print than a pipe takes, whose reader does not read; it leaves with this result. */
async function leaving(result: object) {
  const script = `
    import { leave } from '${leave}'
    import { catchSignals } from '${signals}'
    const stop = catchSignals().on(() => {})
    process.stdout.write(Buffer.alloc(1 << 20))
    stop()
    process.stderr.write('leaving')
    await leave(${JSON.stringify(result)})
  `
  const program = spawn(process.execPath, ['--input-type=module', '-e', script], stuck)
  const exit = once(program, 'exit')
  await once(program.stderr, 'data')
  return { program, exit }
}

test('output that nobody reads is left behind where it should not be waited for', bounded, async () => {
  assert.deepEqual(await (await leaving({ exitCode: 124, unread: true })).exit, [124, null])
  assert.deepEqual(await (await leaving({ exitCode: 130, signal: 'INT', unread: true })).exit, [null, 'SIGINT'])
})

test('other output is waited for', bounded, async () => {
  const { program, exit } = await leaving({ exitCode: 3 })
  let length = 0
  for await (const data of program.stdout) length += (data as Buffer).length
  assert.equal(length, 1 << 20)
  assert.deepEqual(await exit, [3, null])
})

test('a signal ends a program that waits for its output to be read', bounded, async () => {
  const { program, exit } = await leaving({ exitCode: 0 })
  program.kill('SIGTERM')
  assert.deepEqual(await exit, [null, 'SIGTERM'])
})
