import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { OutputPump } from '../../src/run/pump.ts'

const bounded = { timeout: 30_000 }

test('a slow reader costs no memory, however long it reads', bounded, async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const slow = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => process.nextTick(done) })
  using pump = new OutputPump(slow, 'stdout')
  const write = async (times: number) => {
    for (let n = 0; n < times; n++) await pump.write(Buffer.of(0))
  }
  await write(1_000)
  const before = used()
  await write(40_000)
  assert.ok(used() - before < 2_000_000)
})
