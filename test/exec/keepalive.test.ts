import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { keepAlive } from '../../src/exec/keepalive.ts'
import { until } from '../support/events.ts'
import { socketPair } from '../support/socket-pair.ts'

const bounded = { timeout: 20_000 }

suite('an exec connection', { concurrency: 4 }, () => {
  test('beats with a ping and an empty message', bounded, async () => {
    await using pair = await socketPair()
    const alive = keepAlive(pair.client, () => assert.fail('it lives'), { interval: 10, deadline: 60_000 })
    const [[ping], [message]] = await Promise.all([once(pair.server, 'ping'), once(pair.server, 'message')])
    assert.equal(String(ping), '1')
    assert.equal((message as Buffer).length, 0)
    alive.stop()
  })

  test('without a pong is dead', bounded, async () => {
    await using pair = await socketPair('v5', { autoPong: false })
    const { promise: dead, resolve } = Promise.withResolvers<void>()
    const alive = keepAlive(pair.client, resolve, { interval: 10, deadline: 50 })
    await dead
    alive.stop()
  })

  test('that was heard of is not dead', bounded, async () => {
    await using pair = await socketPair('v5', { autoPong: false })
    let pings = 0
    let dead = false
    pair.server.on('ping', () => pings++)
    const alive = keepAlive(pair.client, () => (dead = true), { interval: 5, deadline: 5_000 })
    pair.client.on('message', () => alive.heard())
    pair.server.send('something')
    await until(() => pings > 20)
    assert.equal(dead, false)
    alive.stop()
  })

  test('with input that nobody has confirmed is not dead, however silent', bounded, async () => {
    await using pair = await socketPair('v5', { autoPong: false })
    let pings = 0
    pair.server.on('ping', () => pings++)
    const alive = keepAlive(pair.client, () => assert.fail('silence proves nothing'), { interval: 5, deadline: 20 })
    alive.sentInput()
    await until(() => pings > 40)
    alive.stop()
  })

  test('whose input was confirmed by a pong is dead after the next silence', bounded, async () => {
    await using pair = await socketPair('v5', { autoPong: false })
    let silent = false
    pair.server.on('ping', (data: Buffer) => {
      if (!silent && Number(String(data)) > 10) {
        silent = true
        pair.server.pong(data)
      }
    })
    const { promise: dead, resolve } = Promise.withResolvers<void>()
    const alive = keepAlive(pair.client, resolve, { interval: 10, deadline: 60 })
    alive.sentInput()
    await dead
    assert.ok(silent)
    alive.stop()
  })

  test('that we do not read ourselves is not dead', bounded, async () => {
    await using pair = await socketPair('v5', { autoPong: false })
    let pings = 0
    pair.server.on('ping', () => pings++)
    pair.client.pause()
    const alive = keepAlive(pair.client, () => assert.fail('we did not listen'), { interval: 5, deadline: 20 })
    await until(() => pings > 40)
    alive.stop()
    pair.client.resume()
  })

  test('leaves no listener and no timer behind', bounded, async () => {
    await using pair = await socketPair()
    const before = pair.client.listenerCount('pong')
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const alive = keepAlive(pair.client, () => {}, { interval: 100_000, deadline: 100_000 })
    alive.stop()
    assert.equal(pair.client.listenerCount('pong'), before)
    assert.ok(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length <= timers)
  })
})
