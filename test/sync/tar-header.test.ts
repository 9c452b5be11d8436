import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type HeaderFields, paddingOf, tarHeader } from '../../src/sync/tar/tar-header.ts'

const second = 1_000_000_000n

function header(fields: Partial<HeaderFields> = {}): Buffer {
  return tarHeader({ type: 'file', name: Buffer.from('name'), size: 0, mode: 0o644, mtime: 0n, ...fields })
}

/** A field's text up to the first NUL. */
function field(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('latin1', at, at + length).replace(/\0.*$/s, '')
}

function mtimeOf(mtime: bigint): string {
  return header({ mtime }).subarray(136, 148).toString('hex')
}

function sizeOf(size: number): string {
  return header({ size }).subarray(124, 136).toString('hex')
}

function octal(digits: string): string {
  return Buffer.from(`${digits}\0`).toString('hex')
}

suite('a header', () => {
  test('has each field at its place', () => {
    const bytes = header({ size: 1234, mode: 0o1755, mtime: 1_700_000_000n * second })
    assert.equal(bytes.length, 512)
    assert.equal(field(bytes, 0, 100), 'name')
    assert.equal(field(bytes, 100, 8), '0001755')
    assert.equal(field(bytes, 108, 8), '0000000')
    assert.equal(field(bytes, 116, 8), '0000000')
    assert.equal(field(bytes, 124, 12), '00000002322')
    assert.equal(field(bytes, 136, 12), '14524770400')
    assert.equal(field(bytes, 156, 1), '0')
    assert.equal(bytes.toString('latin1', 257, 265), 'ustar  \0')
    assert.deepEqual(bytes.subarray(265), Buffer.alloc(247), 'names of user and group, and what follows them')
  })

  test('sums its bytes up, its own sum as spaces', () => {
    const bytes = header({ name: Buffer.from('ÿ\xff') })
    const blank = Buffer.from(bytes)
    blank.write('        ', 148)
    const sum = blank.reduce((total, byte) => total + byte, 0)
    assert.equal(bytes.toString('latin1', 148, 156), `${sum.toString(8).padStart(6, '0')}\0 `)
  })

  test('says what a folder and a link are', () => {
    assert.equal(field(header({ type: 'folder' }), 156, 1), '5')
    const link = header({ type: 'link', target: Buffer.from('there') })
    assert.equal(field(link, 156, 1), '2')
    assert.equal(field(link, 157, 100), 'there')
  })
})

suite('numbers', () => {
  const sizes: [size: number, hex: string][] = [
    [0, octal('00000000000')],
    [8 * 1024 ** 3 - 1, octal('77777777777')],
    [8 * 1024 ** 3, '800000000000000200000000'],
    [8 * 1024 ** 3 + 1, '800000000000000200000001'],
    [Number.MAX_SAFE_INTEGER, '80000000001fffffffffffff'],
  ]
  for (const [size, hex] of sizes) {
    test(`a size of ${size} bytes is ${hex.startsWith('80') ? 'base-256' : 'octal'}`, () => {
      assert.equal(sizeOf(size), hex)
    })
  }

  const times: [title: string, mtime: bigint, hex: string][] = [
    ['1970', 0n, octal('00000000000')],
    ['a nanosecond before 1970', -1n, 'ffffffffffffffffffffffff'],
    ['a second before 1970', -second, 'ffffffffffffffffffffffff'],
    ['a little more than a second before 1970', -second - 1n, 'fffffffffffffffffffffffe'],
    ['1901', -2_147_483_649n * second, 'ffffffffffffffff7fffffff'],
    ['the last nanosecond of a second', 2n * second - 1n, octal('00000000001')],
    ['2038', 2_147_483_648n * second, octal('20000000000')],
    ['2040', 2_208_988_800n * second, octal('20352477200')],
    ['the end of octal in 2242', 8_589_934_591n * second, octal('77777777777')],
    ['a second later', 8_589_934_592n * second, '800000000000000200000000'],
  ]
  for (const [title, mtime, hex] of times) {
    test(`an mtime of ${title} is whole seconds, rounded down`, () => {
      assert.equal(mtimeOf(mtime), hex)
    })
  }
})

suite('a long name', () => {
  test('of 99 bytes has room', () => {
    assert.equal(header({ name: Buffer.alloc(99, 'n') }).length, 512)
  })

  for (const length of [100, 101, 155, 256, 300, 511, 512, 4095]) {
    test(`of ${length} bytes goes ahead, with a NUL`, () => {
      const name = Buffer.alloc(length, 'nm')
      const bytes = header({ name, size: 5 })
      const content = length + 1 + paddingOf(length + 1)
      assert.equal(bytes.length, 512 + content + 512)
      assert.equal(field(bytes, 0, 100), '././@LongLink')
      assert.equal(field(bytes, 156, 1), 'L')
      assert.equal(Number.parseInt(field(bytes, 124, 12), 8), length + 1)
      assert.deepEqual(bytes.subarray(512, 512 + length), name)
      assert.deepEqual(bytes.subarray(512 + length, 512 + content), Buffer.alloc(content - length))
      const main = bytes.subarray(512 + content)
      assert.deepEqual(main.subarray(0, 100), name.subarray(0, 100))
      assert.equal(field(main, 124, 12), '00000000005')
    })
  }

  test('counts bytes, not characters, and is taken as it is', () => {
    const name = Buffer.from('ä'.repeat(49))
    assert.deepEqual(header({ name }).subarray(0, 98), name)
    assert.equal(header({ name: Buffer.from('ä'.repeat(50)) }).length, 512 * 3)
  })

  test('and a long target go ahead both', () => {
    const bytes = header({ type: 'link', name: Buffer.alloc(120, 'n'), target: Buffer.alloc(110, 't') })
    assert.equal(bytes.length, 512 * 5)
    assert.equal(field(bytes, 156, 1), 'K')
    assert.equal(field(bytes, 512, 512), 't'.repeat(110))
    assert.equal(field(bytes, 1024 + 156, 1), 'L')
    assert.equal(field(bytes, 1536, 512), 'n'.repeat(120))
    assert.equal(field(bytes, 2048 + 156, 1), '2')
  })
})

test('contents are filled up to whole blocks', () => {
  assert.deepEqual([0, 1, 511, 512, 513].map(paddingOf), [0, 511, 1, 0, 511])
})
