import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { ApiError, KuberunError } from '../../src/errors.ts'
import type { ApiRequest } from '../../src/kube/client.ts'
import { clientOf, quickPace } from '../support/kube-home.ts'
import { type Answer, json, listen, plain, refusal, reset, silent, startKubeServer } from '../support/kube-server.ts'

const get: ApiRequest = { method: 'GET', path: '/api/v1/namespaces/dev/pods' }
const post: ApiRequest = { method: 'POST', path: '/api/v1/namespaces/dev/pods', body: { kind: 'Pod' } }
const list = { kind: 'PodList', items: [] }

test('a request carries its query, its body and who we are', async () => {
  await using server = await startKubeServer(json(201, { kind: 'Pod' }))
  await using home = await clientOf(`${server.url}/k8s/clusters/c-1/`, { user: { token: 'secret' } })
  const query = { command: ['sh', '-c'], stdin: true, skipped: undefined }
  assert.deepEqual(await home.client.request({ ...post, query }), { kind: 'Pod' })
  const [seen] = server.seen
  assert.equal(seen?.url, '/k8s/clusters/c-1/api/v1/namespaces/dev/pods?command=sh&command=-c&stdin=true')
  assert.equal(seen?.body, '{"kind":"Pod"}')
  assert.equal(seen?.headers['content-type'], 'application/json')
  assert.equal(seen?.headers.authorization, 'Bearer secret')
  assert.match(seen?.headers['user-agent'] ?? '', /^kuberun\/\d+\.\d+\.\d+ \(\w+\/\w+\)$/)
})

test('a patch is a merge patch', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using home = await clientOf(server.url)
  await home.client.request({ ...get, method: 'PATCH', body: {} })
  assert.equal(server.seen[0]?.headers['content-type'], 'application/merge-patch+json')
})

test('requests share one connection instead of opening one each', async () => {
  await using server = await startKubeServer(json(200, list))
  await using home = await clientOf(server.url)
  for (let i = 0; i < 5; i++) await home.client.request(get)
  assert.equal(server.sockets.length, 1)
})

test('a Status words the error and fills its fields', async () => {
  const details = {
    name: 'x',
    kind: 'pods',
    causes: [{ reason: 'Bad', message: 'no', field: 'spec' }],
    retryAfterSeconds: 2,
  }
  await using server = await startKubeServer(refusal(422, 'Invalid', 'Pod "x" is invalid', { details }))
  await using home = await clientOf(server.url)
  const error = await home.client.request(post).catch((e: unknown) => e)
  assert.ok(error instanceof ApiError)
  assert.equal(error.message, 'Pod "x" is invalid')
  assert.equal(error.status, 422)
  assert.equal(error.reason, 'Invalid')
  assert.equal(error.failure.fromKubernetes, true)
  assert.equal(error.failure.retryAfter, 2000)
  assert.deepEqual(error.failure.details?.causes, details.causes)
})

const strangers: [what: string, answer: Answer, message: RegExp][] = [
  ['a page', plain(404, '<html><head><title>Not\n here</title></head></html>'), /404 Not Found: Not here$/],
  ['a plain text', plain(403, 'bad upgrade\nmore'), /403 Forbidden: bad upgrade$/],
  ['nothing', plain(400, ''), /the server answered 400 Bad Request$/],
  ['JSON that is no Status', json(400, { error: 'x' }), /400 Bad Request: \{"error":"x"\}$/],
  ['a huge page', plain(400, `start ${'x'.repeat(5_000_000)}`), /400 Bad Request: start x{290,300}$/],
  [
    'a redirect',
    plain(302, '', { Location: 'https://login' }),
    /redirect \(302 Found\) to "https:\/\/login", which is not/,
  ],
]
for (const [what, answer, message] of strangers) {
  test(`a refusal that is ${what} is told as not Kubernetes'`, async () => {
    await using server = await startKubeServer(answer)
    await using home = await clientOf(server.url)
    const error = await home.client.request(get).catch((e: unknown) => e)
    assert.ok(error instanceof ApiError)
    assert.match(error.message, message)
    assert.equal(error.failure.fromKubernetes, false)
    assert.match(error.hint ?? '', /proxies/)
    assert.equal(server.seen.length, 1)
  })
}

test('a success that is no JSON is an error with a hint', async () => {
  await using server = await startKubeServer(plain(200, '<html>log in</html>'))
  await using home = await clientOf(server.url)
  await assert.rejects(home.client.request(get), { code: 'connection', message: /other than JSON/ })
})

test('each warning of the server is told once', async () => {
  const Warning = ['299 - "say \\"please\\""', '299 - "deprecated, really"']
  await using server = await startKubeServer(json(200, list, { Warning }))
  const told: string[] = []
  await using home = await clientOf(server.url, { onWarning: (text) => told.push(text) })
  await home.client.request(get)
  await home.client.request(get)
  assert.deepEqual(told, ['say "please"', 'deprecated, really'])
})

const busy = (headers: Record<string, string>): Answer =>
  plain(429, 'Too many requests, please try again later.\n', headers)
const retried: [what: string, first: Answer, request: ApiRequest, waits: number[]][] = [
  ['429 after the seconds of Retry-After', busy({ 'Retry-After': '3' }), post, [3000]],
  ['429 without Retry-After', busy({}), post, [100]],
  [
    '429 after the seconds of its Status',
    refusal(429, 'TooManyRequests', 'x', { details: { retryAfterSeconds: 7 } }),
    get,
    [7000],
  ],
  ['429 after a date that is past', busy({ 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' }), get, []],
  ['503 with Retry-After', plain(503, '', { 'Retry-After': '1' }), post, [1000]],
  ['502 of a read', plain(502, ''), get, [100]],
  ['504 of a delete', refusal(504, 'Timeout', 'etcd'), { ...get, method: 'DELETE' }, [100]],
  ['503 of a POST', plain(503, ''), post, [100]],
  ['500 with Retry-After of a read', plain(500, '', { 'Retry-After': '1' }), get, [1000]],
  ['a reset of a read', reset, get, [100]],
  ['a reset of a POST', reset, post, [100]],
]
for (const [what, first, request, waits] of retried) {
  test(`tried again: ${what}`, async () => {
    await using server = await startKubeServer([first, json(200, list)])
    const pace = quickPace()
    await using home = await clientOf(server.url, { pace })
    assert.deepEqual(await home.client.request(request), list)
    assert.deepEqual(pace.waits, waits)
  })
}

const final: [what: string, answer: Answer, request: ApiRequest][] = [
  ['500', refusal(500, 'InternalError', 'x'), get],
  ['404', refusal(404, 'NotFound', 'x'), get],
  ['403', refusal(403, 'Forbidden', 'x'), get],
  ['409', refusal(409, 'AlreadyExists', 'x'), post],
  ['a wait that is longer than our patience', busy({ 'Retry-After': '31' }), get],
  ['a wait that is longer than the time for a request', busy({ 'Retry-After': '3' }), { ...get, timeout: 2_000 }],
]
for (const [what, answer, request] of final) {
  test(`not tried again: ${what}`, async () => {
    await using server = await startKubeServer(answer)
    await using home = await clientOf(server.url, { pace: quickPace() })
    await assert.rejects(home.client.request(request), KuberunError)
    assert.equal(server.seen.length, 1)
  })
}

test('gives up after ten tries', async () => {
  await using server = await startKubeServer(plain(503, ''))
  await using home = await clientOf(server.url, { pace: quickPace(0.01) })
  await assert.rejects(home.client.request(get), { code: 'api' })
  assert.equal(server.seen.length, 10)
})

test('patience outlasts a server that is not there yet', async () => {
  const blocker = net.createServer()
  const port = await listen(blocker)
  await new Promise((resolve) => void blocker.close(resolve))
  const pace = quickPace()
  await using home = await clientOf(`http://127.0.0.1:${port}`, { pace })
  await assert.rejects(home.client.request(get), { code: 'connection', message: /connection refused/ })
  assert.deepEqual(pace.waits, [])
  await assert.rejects(home.client.request({ ...get, patience: 20_000 }), { code: 'connection' })
  assert.ok(pace.waits.length > 5)
})

for (const request of [get, post]) {
  test(`a ${request.method} is not lost to an idle connection that the server closed`, async () => {
    await using server = await startKubeServer(json(200, list))
    await using home = await clientOf(server.url, { pace: quickPace() })
    await home.client.request(get)
    // The next request finds its connection reset at the moment in which it is written.
    const [idle] = server.sockets
    idle?.removeAllListeners('data')
    idle?.once('data', () => idle.resetAndDestroy())
    assert.deepEqual(await home.client.request(request), list)
    assert.equal(server.seen.length, 2)
  })
}

test('a server that never answers is told after the request time-out', async () => {
  await using server = await startKubeServer(silent)
  await using home = await clientOf(server.url, { options: { requestTimeout: 50 } })
  await assert.rejects(home.client.request(get), { code: 'connection', message: /no answer within 0.05 s/ })
  assert.equal(server.seen.length, 1)
})

test('a request may have less time than others', async () => {
  await using server = await startKubeServer(silent)
  await using home = await clientOf(server.url)
  const error = { code: 'connection', message: /no answer within 0.05 s/ }
  await assert.rejects(home.client.request({ ...get, timeout: 50 }), error)
})

test('a body that never ends is told after the request time-out', async () => {
  await using server = await startKubeServer((_seen, response) => void response.write('{'))
  await using home = await clientOf(server.url, { options: { requestTimeout: 50 } })
  await assert.rejects(home.client.request(get), { code: 'connection', message: /no answer within 0.05 s/ })
})

test('a request that ends leaves no listeners, one that is aborted neither listeners nor sockets', async () => {
  await using server = await startKubeServer([json(200, list), silent])
  await using home = await clientOf(server.url)
  const controller = new AbortController()
  const { signal } = controller
  await home.client.request({ ...get, signal })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  const pending = home.client.request({ ...get, signal })
  const reason = new Error('enough')
  await once(server.http, 'request')
  controller.abort(reason)
  await assert.rejects(pending, reason)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close')
  await assert.rejects(home.client.request({ ...get, signal }), reason)
})

test('an abort ends the wait before a new try', async () => {
  await using server = await startKubeServer(busy({ 'Retry-After': '20' }))
  await using home = await clientOf(server.url)
  const controller = new AbortController()
  const pending = home.client.request({ ...get, signal: controller.signal })
  await once(server.http, 'request')
  setImmediate(() => controller.abort(new Error('enough')))
  await assert.rejects(pending, { message: 'enough' })
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})
