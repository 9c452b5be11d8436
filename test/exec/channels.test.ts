import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeStdin, decodeFrame, encodeResize } from '../../src/exec/channels.ts'

test('a message is one channel byte and the payload', () => {
  const rows: [number[], { channel: number; data: number[] } | undefined][] = [
    [[], undefined],
    [[1], { channel: 1, data: [] }],
    [[2, 0, 255], { channel: 2, data: [0, 255] }],
    [[255, 0], { channel: 255, data: [0] }],
    [[7, 7], { channel: 7, data: [7] }],
  ]
  for (const [message, frame] of rows) {
    const decoded = decodeFrame(Buffer.from(message))
    assert.deepEqual(decoded && { channel: decoded.channel, data: [...decoded.data] }, frame)
  }
})

test('a payload is a view of the message', () => {
  const message = Buffer.from([1, 2, 3])
  const frame = decodeFrame(message)
  message[1] = 9
  assert.equal(frame?.data[0], 9)
})

test('the message that ends stdin is exactly two bytes', () => {
  assert.deepEqual([...closeStdin], [255, 0])
})

test('a size goes as the JSON that Kubernetes reads, on channel 4', () => {
  const message = encodeResize({ columns: 80, rows: 24 })
  assert.equal(message[0], 4)
  assert.equal(message.toString('utf8', 1), '{"Width":80,"Height":24}')
})
