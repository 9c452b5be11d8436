import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { type EndMark, MarkScanner } from '../../src/exec/marks.ts'

const id = 'V1StGXR8_Z5jdHi6B-myT'

function mark(word: string): Buffer {
  return Buffer.concat([Buffer.of(0xfe), Buffer.from(id + word)])
}

interface Scan {
  text: Buffer
  started: boolean
  end: EndMark | undefined
}

/** Feeds a stream in the given pieces. */
function scan(pieces: readonly Buffer[]): Scan {
  const scanner = new MarkScanner(id)
  const texts = pieces.map((piece) => scanner.feed(piece))
  return { text: Buffer.concat([...texts, scanner.flush()]), started: scanner.started, end: scanner.end }
}

const end = (exitCode: number, flags: Partial<EndMark> = {}): EndMark => ({
  exitCode,
  outOfMemory: false,
  podEnding: false,
  ...flags,
})

suite('marks', () => {
  const rows: [string, (Buffer | string)[], string, boolean, EndMark | undefined][] = [
    ['nothing', [], '', false, undefined],
    ['text only', ['hello'], 'hello', false, undefined],
    ['a start', [mark('+'), 'hello'], 'hello', true, undefined],
    ['an end', ['hello', mark('0;')], 'hello', false, end(0)],
    ['both', [mark('+'), 'a', mark('255;')], 'a', true, end(255)],
    ['an end for want of memory', [mark('137o;')], '', false, end(137, { outOfMemory: true })],
    ['an end with the pod', [mark('143t;')], '', false, end(143, { podEnding: true })],
    ['an end with both', [mark('137ot;')], '', false, end(137, { outOfMemory: true, podEnding: true })],
    ['text behind the end', ['a', mark('1;'), 'b', mark('2;')], 'a', false, end(1)],
    [
      'a mark of another run',
      [Buffer.from([0xfe]), 'V1StGXR8_Z5jdHi6B-myU', '0;'],
      '\xfeV1StGXR8_Z5jdHi6B-myU0;',
      false,
      undefined,
    ],
    ['a mark with another word', [mark('x'), 'later on'], `\xfe${id}xlater on`, false, undefined],
    ['a mark with half a word', [mark('12')], `\xfe${id}12`, false, undefined],
    ['a mark with too large a word', [mark('1234;')], `\xfe${id}1234;`, false, undefined],
    ['a real mark behind a false one', [mark('x'), 'later on', mark('3;')], `\xfe${id}xlater on`, false, end(3)],
    ['a real mark right in a false one', [mark(''), mark('3;')], `\xfe${id}`, false, end(3)],
    [
      'half a mark at the end',
      ['a', mark('').subarray(0, 9)],
      `a${mark('').toString('latin1', 0, 9)}`,
      false,
      undefined,
    ],
    ['many first bytes', ['\xfe\xfe\xfe', mark('9;')], '\xfe\xfe\xfe', false, end(9)],
  ]
  for (const [name, parts, text, started, expected] of rows) {
    const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))
    const whole = Buffer.concat(bytes)
    test(`${name}, whole, in parts and byte by byte`, () => {
      for (const pieces of [[whole], bytes, [...whole].map((byte) => Buffer.of(byte))]) {
        const result = scan(pieces)
        assert.equal(result.text.toString('latin1'), text)
        assert.equal(result.started, started)
        assert.deepEqual(result.end, expected)
      }
    })
  }

  test('what cannot be a mark is given at once', () => {
    const scanner = new MarkScanner(id)
    assert.equal(scanner.feed(Buffer.from('abc')).toString(), 'abc')
    assert.equal(scanner.feed(Buffer.from([0xfe])).length, 0)
    assert.equal(scanner.feed(Buffer.from('x')).toString('latin1'), '\xfex')
  })
})

// Bytes that look like marks more often than bytes do. The dots keep them from becoming marks together.
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('', '1', '12', '255', 'ot', 'x', ';x').map((word) => mark(`${word}.`)),
  fc.nat({ max: id.length }).map((length) => Buffer.concat([mark('').subarray(0, length + 1), Buffer.from('.')])),
)

const stream = fc.record({
  before: fc.array(piece, { maxLength: 6 }),
  during: fc.array(piece, { maxLength: 8 }),
  exitCode: fc.nat({ max: 255 }),
  flags: fc.constantFrom('', 'o', 't', 'ot'),
  cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
})

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.filter((at) => at < bytes.length), bytes.length])].toSorted((a, b) => a - b)
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to))
}

test('whatever bytes come in whatever pieces, the marks come out and all else stays', () => {
  fc.assert(
    fc.property(stream, ({ before, during, exitCode, flags, cuts }) => {
      const [first, second] = [Buffer.concat(before), Buffer.concat(during)]
      const whole = Buffer.concat([first, mark('+'), second, mark(`${exitCode}${flags};`)])
      const result = scan(cut(whole, cuts))
      assert.ok(result.text.equals(Buffer.concat([first, second])))
      assert.ok(result.started)
      assert.deepEqual(result.end, end(exitCode, { outOfMemory: flags.includes('o'), podEnding: flags.includes('t') }))
    }),
    { numRuns: 2_000 },
  )
})
