import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import type { WebSocket } from 'ws'
import { ExecInput } from '../../src/exec/input.ts'
import { until } from '../support/events.ts'
import { socketPair } from '../support/socket-pair.ts'

const bounded = { timeout: 20_000 }
const blockSize = 256 * 1024

/** Collects what a server gets. */
function messages(server: WebSocket): Buffer[] {
  const all: Buffer[] = []
  server.on('message', (message: Buffer) => all.push(message))
  return all
}

function inputOf(ws: WebSocket, framed = false): ExecInput {
  return new ExecInput(ws, { framed, onSend: () => {} })
}

/** The payloads of stdin messages, put together. */
function payload(all: readonly Buffer[]): Buffer {
  return Buffer.concat(all.filter((message) => message[0] === 0).map((message) => message.subarray(1)))
}

/** Reads the framing as the remote side does: blocks until the empty one. */
function unframe(bytes: Buffer): { blocks: Buffer[]; rest: Buffer } {
  const blocks: Buffer[] = []
  for (let at = 0; ; ) {
    const newline = bytes.indexOf(10, at)
    const length = Number(bytes.toString('latin1', at, newline))
    at = newline + 1
    if (length === 0) return { blocks, rest: bytes.subarray(at) }
    blocks.push(bytes.subarray(at, (at += length)))
  }
}

const random = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) % 256))

suite('stdin', () => {
  test('goes on channel 0, and its end is the two bytes that close it', bounded, async () => {
    await using pair = await socketPair()
    const all = messages(pair.server)
    const input = inputOf(pair.client)
    await input.write(Buffer.from('hello'))
    await input.end()
    await until(() => all.length === 2)
    assert.deepEqual(
      all.map((message) => message.toString('latin1')),
      ['\0hello', '\xff\0'],
    )
  })

  test('has no end that v4 could tell', bounded, async () => {
    await using pair = await socketPair('v4')
    const all = messages(pair.server)
    const input = inputOf(pair.client)
    await input.write(Buffer.from('hello'))
    await input.end()
    pair.client.close()
    await once(pair.server, 'close')
    assert.deepEqual(
      all.map((message) => message.toString()),
      ['\0hello'],
    )
  })

  test('of nothing is only an end', bounded, async () => {
    for (const [framed, end] of [
      [false, '\xff\0'],
      [true, '\u00000\n'],
    ] as const) {
      await using pair = await socketPair(framed ? 'v4' : 'v5')
      const all = messages(pair.server)
      await inputOf(pair.client, framed).end()
      await until(() => all.length === 1)
      assert.equal(all[0]?.toString('latin1'), end)
    }
  })

  for (const framed of [false, true]) {
    test(`arrives as it was written, ${framed ? 'framed' : 'plain'}, in pieces of any size`, bounded, async () => {
      await using pair = await socketPair(framed ? 'v4' : 'v5')
      const all = messages(pair.server)
      const input = inputOf(pair.client, framed)
      const sizes = [1, 0, 10, blockSize, blockSize - 1, blockSize + 1, 3 * blockSize + 17, 65_536, 2, 999_999]
      const written = sizes.map(random)
      for (const piece of written) await input.write(piece)
      await input.end()
      const last = framed ? '\u00000\n' : '\xff\0'
      await until(() => all.at(-1)?.toString('latin1') === last)
      const bytes = framed ? Buffer.concat(unframe(payload(all)).blocks) : payload(all)
      assert.ok(bytes.equals(Buffer.concat(written)))
      assert.ok(all.every((message) => message.length <= blockSize + 16))
    })
  }

  test('that is not waited for is still complete, in order, and before the end', bounded, async () => {
    await using pair = await socketPair()
    const all = messages(pair.server)
    const input = inputOf(pair.client)
    const written = Array.from({ length: 50 }, (_, n) => Buffer.alloc(1_000, n))
    const writes = written.map((piece) => input.write(piece))
    await input.end()
    await Promise.all(writes)
    await until(() => all.at(-1)?.[0] === 255)
    assert.ok(payload(all).equals(Buffer.concat(written)))
  })

  test('that is written while a message is on its way is gathered into the next', bounded, async () => {
    await using pair = await socketPair()
    const all = messages(pair.server)
    const input = inputOf(pair.client)
    for (let n = 0; n < 100; n++) void input.write(Buffer.from('x'))
    await input.end()
    await until(() => all.at(-1)?.[0] === 255)
    assert.equal(payload(all).length, 100)
    assert.ok(all.length <= 4, `${all.length} messages`)
  })

  test('that nobody reads is held up here', bounded, async () => {
    await using pair = await socketPair()
    pair.server.pause()
    const input = inputOf(pair.client)
    let taken = 0
    const writing = (async () => {
      for (; taken < 400; taken++) await input.write(Buffer.alloc(blockSize))
    })()
    // As soon as nothing more moves, what was taken is what sockets and two blocks hold.
    for (let before = -1; before !== taken; ) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    assert.ok(taken < 200, `${taken} blocks of 256 KiB were taken`)
    assert.ok(pair.client.bufferedAmount <= 2 * blockSize + 64)
    pair.server.resume()
    await writing
  })

  test('is swallowed when the connection is lost', bounded, async () => {
    await using pair = await socketPair()
    const input = inputOf(pair.client)
    pair.server.terminate()
    await once(pair.client, 'close')
    for (let n = 0; n < 10; n++) await input.write(Buffer.alloc(blockSize))
    await input.end()
  })

  test('tells of each message that it sends', bounded, async () => {
    await using pair = await socketPair()
    let sent = 0
    const input = new ExecInput(pair.client, { framed: false, onSend: () => sent++ })
    await input.write(Buffer.alloc(2 * blockSize))
    await input.end()
    assert.equal(sent, 3)
  })
})
