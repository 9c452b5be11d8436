import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type MockTracker, suite, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { FrameWriter } from '../../src/sync/remote/frames.ts'

interface Frame {
  zipped: boolean
  data: Buffer
}

/** Reads frames back; what has no length line, or not as much behind it, is none. */
function framesOf(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\n', at)
    const [, digits, z] = /^(\d+)( z)?$/.exec(bytes.toString('latin1', at, end)) ?? assert.fail('no length line')
    const length = Number(digits)
    at = end + 1
    if (length === 0) return { frames, rest: bytes.subarray(at) }
    const body = bytes.subarray(at, at + length)
    assert.equal(body.length, length)
    frames.push({ zipped: z !== undefined, data: z === undefined ? body : gunzipSync(body) })
    at += length
  }
}

/** A link that carries so many bytes in a millisecond, by a clock that a test moves. */
class Link {
  speed: number
  readonly #written: Buffer[] = []
  readonly #clock: Clock

  constructor(clock: Clock, speed: number) {
    this.#clock = clock
    this.speed = speed
  }

  async write(data: Buffer): Promise<void> {
    this.#written.push(Buffer.from(data))
    this.#clock.now += data.length / this.speed
  }

  /** What has come since it was last asked. */
  take(): Buffer {
    return Buffer.concat(this.#written.splice(0))
  }
}

interface Clock {
  now: number
}

async function* inPieces(data: Buffer, size = 256 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

const text = Buffer.alloc(8 << 20, 'all work and no play ')
const noise = randomBytes(8 << 20)
const some = text.subarray(0, 1000)
const [slow, quick] = [1_000, 1_000_000]

/** A writer on such a link. `send` tells of which kinds the frames are, in their order. */
function timed(mock: MockTracker, speed: number, { mayZip = true } = {}) {
  const clock = { now: 0 }
  mock.method(performance, 'now', () => clock.now)
  const link = new Link(clock, speed)
  const writer = new FrameWriter((data) => link.write(data), { mayZip })
  const send = async (data: Buffer): Promise<boolean[]> => {
    await writer.send(inPieces(data))
    const { frames } = framesOf(link.take())
    assert.ok(Buffer.concat(frames.map((frame) => frame.data)).equals(data))
    const kinds = frames.map(({ zipped }) => zipped)
    return kinds.filter((zipped, n) => zipped !== kinds[n - 1])
  }
  return { link, send }
}

suite('frames', () => {
  for (const [title, length, piece] of [
    ['nothing', 0, 1],
    ['one byte', 1, 1],
    ['small pieces', 1_000_000, 1_001],
    ['one piece that is large', 5_000_000, 5_000_000],
    ['as much as fits', 256 * 1024, 256 * 1024],
  ] as const) {
    test(`carry ${title}, and their end`, async () => {
      const link = new Link({ now: 0 }, quick)
      const writer = new FrameWriter((data) => link.write(data), { mayZip: true })
      for (let time = 0; time < 2; time += 1) {
        await writer.send(inPieces(noise.subarray(0, length), piece))
        const { frames, rest } = framesOf(link.take())
        assert.ok(Buffer.concat(frames.map(({ data }) => data)).equals(noise.subarray(0, length)))
        assert.equal(rest.length, 0)
        assert.ok(frames.every(({ data }) => data.length < (4 << 20) + piece))
      }
    })
  }

  test('are as they are on a link that is quick', async (t) => {
    const { link, send } = timed(t.mock, quick)
    assert.deepEqual(await send(text), [false])
    link.speed = 10_000
    assert.deepEqual(await send(text), [false])
  })

  test('are gzipped on one that is slow, as soon as that is known', async (t) => {
    const { send } = timed(t.mock, slow)
    assert.deepEqual(await send(text), [false, true])
    assert.deepEqual(await send(text), [true])
  })

  test('are not where there is no gzip over there', async (t) => {
    const { send } = timed(t.mock, slow, { mayZip: false })
    assert.deepEqual(await send(text), [false])
  })

  test('are no longer gzipped where that is of no use, until some have gone', async (t) => {
    const { send } = timed(t.mock, slow)
    assert.deepEqual(await send(noise), [false])
    // The pause has begun within it.
    let left = 8
    while (!(await send(some))[0]) assert.ok((left -= 1) >= 0)
    assert.deepEqual(await send(noise.subarray(0, 1000)), [false])
    for (let n = 0; n < 8; n += 1) assert.deepEqual(await send(some), [false])
    assert.deepEqual(await send(some), [true])
  })

  test('fail with the write that fails, and with the archive that does', async () => {
    const broken = new FrameWriter(() => Promise.reject(new Error('gone')), { mayZip: true })
    await assert.rejects(broken.send(inPieces(noise)), { message: 'gone' })
    const fine = new FrameWriter(() => Promise.resolve(), { mayZip: true })
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield noise
      throw new Error('unreadable')
    }
    await assert.rejects(fine.send(failing()), { message: 'unreadable' })
  })
})
