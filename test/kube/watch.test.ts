import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { WatchEvent } from '../../src/kube/client.ts'
import { clientOf, quickPace } from '../support/kube-home.ts'
import {
  type Answer,
  events,
  eventsThenEnd,
  json,
  plain,
  refusal,
  reset,
  type Seen,
  startKubeServer,
} from '../support/kube-server.ts'

interface Thing {
  metadata: { name: string; uid: string; resourceVersion: string }
  text?: string
}

const path = '/api/v1/namespaces/dev/pods'
const thing = (name: string, resourceVersion: string, text?: string): Thing => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion },
  ...(text === undefined ? {} : { text }),
})
const added = (name: string, version: string, text?: string): WatchEvent<Thing> => ({
  type: 'ADDED',
  object: thing(name, version, text),
})
const bookmark = (resourceVersion: string): unknown => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } })
const failure = (code: number, reason: string): unknown => ({
  type: 'ERROR',
  object: { kind: 'Status', status: 'Failure', code, reason, message: reason },
})

interface Watched {
  told: string[]
  seen: Seen[]
  waits: number[]
}

/** Watches until so many events were told. */
async function watched(script: readonly Answer[], count: number, known: readonly Thing[] = []): Promise<Watched> {
  await using server = await startKubeServer(script)
  const pace = quickPace()
  await using home = await clientOf(server.url, { pace, user: { token: 'x' } })
  const { signal } = new AbortController()
  const told: string[] = []
  const query = { fieldSelector: 'metadata.name=a' }
  for await (const event of home.client.watch<Thing>({ path, query, resourceVersion: '1', known, signal })) {
    told.push(`${event.type} ${event.object.metadata.name} ${event.object.metadata.resourceVersion}`)
    if (told.length === count) break
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  return { told, seen: server.seen, waits: pace.waits }
}

const asked = (seen: readonly Seen[]): (string | null)[] =>
  seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('resourceVersion'))

test('a watch asks for bookmarks, a random time, and the version to start from', async () => {
  const { seen, told } = await watched([events(added('a', '2'))], 1)
  const query = Object.fromEntries(new URL(seen[0]?.url ?? '', 'http://x').searchParams)
  const timeoutSeconds = Number(query['timeoutSeconds'])
  assert.ok(timeoutSeconds >= 240 && timeoutSeconds < 480)
  assert.deepEqual(
    { ...query, timeoutSeconds: '' },
    {
      fieldSelector: 'metadata.name=a',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '1',
      timeoutSeconds: '',
    },
  )
  assert.deepEqual(told, ['ADDED a 2'])
})

const goesOn: [what: string, script: Answer[], versions: (string | null)[]][] = [
  ['a clean end', [eventsThenEnd(added('a', '2')), events(added('b', '3'))], ['1', '2']],
  [
    'a bookmark that moved the version',
    [eventsThenEnd(added('a', '2'), bookmark('7')), events(added('b', '8'))],
    ['1', '7'],
  ],
  ['a clean end without an event', [eventsThenEnd(), events(added('a', '2'), added('b', '3'))], ['1', '1']],
  ['a reset before the answer', [reset, events(added('a', '2'), added('b', '3'))], ['1', '1']],
  ['a reset between events', [breaking(added('a', '2')), events(added('b', '3'))], ['1', '2']],
  ['an end within a line', [eventsThenEnd(added('a', '2'), '{"type":"ADD'), events(added('b', '3'))], ['1', '2']],
  ['a line that is no JSON', [events(added('a', '2'), 'garbage\n'), events(added('b', '3'))], ['1', '2']],
  ['a line that is no event', [events(added('a', '2'), 'null\n'), events(added('b', '3'))], ['1', '2']],
  ['an ERROR 500', [events(added('a', '2'), failure(500, 'InternalError')), events(added('b', '3'))], ['1', '2']],
  ['a 503', [plain(503, ''), events(added('a', '2'), added('b', '3'))], ['1', '1']],
]
for (const [what, script, versions] of goesOn) {
  test(`a watch goes on after ${what}`, async () => {
    const { told, seen } = await watched(script, 2)
    assert.deepEqual(
      told.map((line) => line.slice(0, 7)),
      ['ADDED a', 'ADDED b'],
    )
    assert.deepEqual(asked(seen), versions)
  })
}

function breaking(event: unknown): Answer {
  return (_seen, response, request) => {
    response
      .writeHead(200)
      .write(`${JSON.stringify(event)}\n`, () => setImmediate(() => request.socket.resetAndDestroy()))
  }
}

test('a watch waits as long as a busy server asks', async () => {
  const { waits } = await watched([plain(429, 'busy', { 'Retry-After': '5' }), events(added('a', '2'))], 1)
  assert.deepEqual(waits, [5000])
})

test('a server that ends each watch at once is not asked in a busy loop', async () => {
  const { waits } = await watched([...Array.from({ length: 8 }, () => eventsThenEnd()), events(added('a', '2'))], 1)
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 2500, 2500, 2500])
})

const list = json(200, {
  metadata: { resourceVersion: '50' },
  items: [thing('same', '3'), thing('new', '40'), thing('changed', '41')],
})
const before = [thing('same', '3'), thing('changed', '2'), thing('gone', '2')]
const differences = ['DELETED gone 2', 'MODIFIED new 40', 'MODIFIED changed 41']
const expired: [what: string, answer: Answer][] = [
  ['an HTTP 410', refusal(410, 'Expired', 'too old')],
  ['an ERROR 410', eventsThenEnd(failure(410, 'Expired'))],
]
for (const [what, answer] of expired) {
  test(`after ${what} the differences are told from a list`, async () => {
    const { told, seen } = await watched([answer, list, events(added('z', '51'))], 4, before)
    assert.deepEqual(told, [...differences, 'ADDED z 51'])
    assert.deepEqual(asked(seen), ['1', null, '50'])
    assert.equal(new URL(seen[1]?.url ?? '', 'http://x').search, '?fieldSelector=metadata.name%3Da')
  })
}

test('what a watch itself told counts as known', async () => {
  const first = eventsThenEnd(added('same', '3'), added('gone', '4'), failure(410, 'Expired'))
  const { told } = await watched([first, list], 5)
  assert.deepEqual(told.slice(2), ['DELETED gone 4', 'MODIFIED new 40', 'MODIFIED changed 41'])
})

for (const status of [401, 403, 404, 400]) {
  test(`a watch throws a ${status}`, async () => {
    await assert.rejects(watched([refusal(status, 'X', 'no')], 1), { code: 'api', message: 'no' })
  })
}

test('characters and lines may be split anywhere, and an object may be larger than a chunk', async () => {
  const text = 'ä😀'.repeat(60_000)
  const bytes = Buffer.from(`${JSON.stringify(added('a', '2', text))}\n${JSON.stringify(added('b', '3', 'ü'))}\n`)
  const sizes = [1, 2, 3, 50_001, 7, bytes.length]
  await using server = await startKubeServer((_seen, response) => void sendInPieces(response, bytes, sizes))
  await using home = await clientOf(server.url)
  const { signal } = new AbortController()
  const told: (string | undefined)[] = []
  for await (const { object } of home.client.watch<Thing>({ path, resourceVersion: '1', signal })) {
    told.push(object.text)
    if (told.length === 2) break
  }
  assert.deepEqual(told, [text, 'ü'])
})

async function sendInPieces(response: ServerResponse, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  let start = 0
  for (const size of sizes) {
    await new Promise((resolve) => void response.write(bytes.subarray(start, start + size), resolve))
    start += size
  }
}

test('silence beyond the time that was asked for starts a new watch', async (t) => {
  await using server = await startKubeServer([events(), events(added('a', '2'))])
  await using home = await clientOf(server.url)
  const watch = home.client.watch<Thing>({ path, resourceVersion: '1', signal: new AbortController().signal })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const first = watch[Symbol.asyncIterator]().next()
  await once(server.http, 'request')
  while (server.seen.length < 2) {
    t.mock.timers.tick(520_000)
    await new Promise((resolve) => void setImmediate(resolve))
  }
  assert.equal((await first).value?.object.metadata.name, 'a')
})

test('an abort ends a watch without an error, and leaves neither listeners nor sockets', async () => {
  await using server = await startKubeServer(events(added('a', '2')))
  await using home = await clientOf(server.url)
  const controller = new AbortController()
  const told: unknown[] = []
  for await (const event of home.client.watch({ path, resourceVersion: '1', signal: controller.signal })) {
    told.push(event)
    setImmediate(() => controller.abort())
  }
  assert.equal(told.length, 1)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close')
})

test('leaving the loop closes the connection', async () => {
  await using server = await startKubeServer(events(added('a', '2')))
  await using home = await clientOf(server.url)
  for await (const _ of home.client.watch({ path, resourceVersion: '1', signal: new AbortController().signal })) break
  for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close')
})
