import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { decodeName, encodePath, localPath } from '../../src/sync/path.ts'

suite('names', () => {
  const rows: [title: string, hex: string, text: string][] = [
    ['ASCII', '61', 'a'],
    ['UTF-8 of two, three and four bytes', 'c3a4e282acf09f9880', 'ä€😀'],
    ['the replacement character itself', 'efbfbd', '\ufffd'],
    ['a byte order mark', 'efbbbf61', '\ufeffa'],
    ['Latin-1', '61e462', 'a\udce4b'],
    ['a character that is cut', '61e282', 'a\udce2\udc82'],
    ['a continuation without a beginning', '80', '\udc80'],
    ['an encoding that is too long', 'c0af', '\udcc0\udcaf'],
    ['a surrogate in UTF-8', 'eda080', '\udced\udca0\udc80'],
    ['more than Unicode has', 'f4908080', '\udcf4\udc90\udc80\udc80'],
    ['the replacement character beside Latin-1', 'efbfbdff', '\ufffd\udcff'],
    ['a surrogate pair before a byte', 'f09f9880ff', '😀\udcff'],
  ]
  for (const [title, hex, text] of rows) {
    test(`${title} is read and written`, () => {
      assert.equal(decodeName(Buffer.from(hex, 'hex')), text)
      assert.equal(encodePath(text).toString('hex'), hex)
    })
  }

  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.deepEqual(encodePath(decodeName(Buffer.from(bytes))), Buffer.from(bytes))
      }),
    )
  })

  test('different bytes are different strings', () => {
    const short = fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(short, short, (one, other) => {
        assert.equal(decodeName(one) === decodeName(other), one.equals(other))
      }),
    )
  })
})

suite('a path on this machine', () => {
  test('is a string where that can say it', () => {
    assert.equal(localPath('/root', 'a/ä'), '/root/a/ä')
    assert.equal(localPath('/', 'a'), '/a')
  })

  test('of the root is the root', () => {
    assert.equal(localPath('/root', ''), '/root')
  })

  test('is bytes where it is not UTF-8', () => {
    assert.deepEqual(localPath('/ä', 'a\udce4'), Buffer.from('2fc3a42f61e4', 'hex'))
  })
})
