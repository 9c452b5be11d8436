import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { concurrently } from '../../src/sync/local/concurrently.ts'

const numbers = Array.from({ length: 50 }, (_, n) => n)

suite('several at a time', () => {
  test('give their results in order, however long each takes', async () => {
    let running = 0
    let most = 0
    const results = await concurrently(numbers, async (n) => {
      running += 1
      most = Math.max(most, running)
      for (let turn = n % 5; turn >= 0; turn -= 1) await nextTurn()
      running -= 1
      return n * 2
    })
    assert.deepEqual(
      results,
      numbers.map((n) => n * 2),
    )
    assert.equal(most, 8)
  })

  test('begin nothing after a failure, and end what had begun before they say it', async () => {
    const begun: number[] = []
    const ended: number[] = []
    const work = async (n: number): Promise<void> => {
      begun.push(n)
      await nextTurn()
      if (n === 3) throw new Error('three')
      await nextTurn()
      ended.push(n)
    }
    await assert.rejects(concurrently(numbers, work), /three/)
    assert.deepEqual(begun, numbers.slice(0, 8))
    assert.deepEqual(ended, [0, 1, 2, 4, 5, 6, 7])
  })

  test('may be none', async () => {
    assert.deepEqual(await concurrently([], async () => assert.fail()), [])
  })
})
