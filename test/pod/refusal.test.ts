import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ApiError } from '../../src/errors.ts'
import { cannotCreate, explainRefusal, isQuotaExceeded } from '../../src/pod/refusal.ts'
import { isRestrictedRefusal } from '../../src/pod/restricted.ts'

function refusal(status: number, message: string, fromKubernetes = true): ApiError {
  return new ApiError(message, { status, reason: '', fromKubernetes })
}

const forbidden = (text: string): string => `pods "kuberun-x" is forbidden: ${text}`

suite('a refusal', () => {
  const rows: [number, string, RegExp | undefined][] = [
    [404, 'namespaces "dev" not found', /kubectl create namespace dev/],
    [404, 'pods "x" not found', undefined],
    [403, forbidden('failed quota: q: must specify limits.memory for: kuberun'), /--limits=memory=128Mi/],
    [403, forbidden('exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5'), /larger quota/],
    [403, forbidden('violates PodSecurity "baseline:latest": hostNetwork'), /--overrides/],
    [
      403,
      forbidden('unable to create new content in namespace dev because it is being terminated'),
      /another namespace/,
    ],
    [
      403,
      'pods is forbidden: User "me" cannot create resource "pods" in API group "" in the namespace "dev"',
      /a Role with these rules/,
    ],
    [
      403,
      'pods "x" is forbidden: User "me" cannot get resource "pods/exec" in API group ""',
      /pods\/exec.*\[get, create\]/,
    ],
    [403, forbidden('maximum memory usage per Container is 64Mi, but limit is 128Mi'), /LimitRange/],
    [403, forbidden('minimum cpu usage per Container is 100m, but request is 10m'), /LimitRange/],
    [400, 'admission webhook "w.example.com" denied the request: no', /a policy of this cluster/],
    [500, 'Internal error occurred: failed calling webhook "w": context deadline exceeded', /a policy of this cluster/],
    [422, 'Pod "x" is invalid: spec.containers[0].image: Required value', undefined],
    [403, 'go away', undefined],
  ]
  for (const [status, message, hint] of rows) {
    test(`${status} "${message.slice(0, 60)}" ${hint === undefined ? 'speaks for itself' : 'gets a hint'}`, () => {
      const error = refusal(status, message)
      const explained = explainRefusal(error, 'dev')
      assert.ok(explained instanceof ApiError)
      assert.equal(explained.message, message)
      assert.equal(explained.status, status)
      if (hint === undefined) assert.equal(explained, error)
      else assert.match(explained.hint ?? '', hint)
    })
  }

  test('that is not of Kubernetes is left as it is', () => {
    const error = refusal(403, 'User "me" cannot create resource "pods"', false)
    assert.equal(explainRefusal(error, 'dev'), error)
  })

  test('that is no answer is left as it is', () => {
    const error = new Error('x')
    assert.equal(explainRefusal(error, 'dev'), error)
    assert.equal(cannotCreate(error, 'dev'), error)
  })

  test('of a create says so', () => {
    const explained = cannotCreate(refusal(404, 'namespaces "dev" not found'), 'dev')
    assert.ok(explained instanceof ApiError)
    assert.equal(explained.message, 'cannot create the pod: namespaces "dev" not found')
    assert.match(explained.hint ?? '', /kubectl create namespace/)
  })
})

test('an exceeded quota may pass, a missing limit does not', () => {
  assert.ok(isQuotaExceeded(refusal(403, forbidden('exceeded quota: q'))))
  assert.ok(!isQuotaExceeded(refusal(403, forbidden('failed quota: q: must specify limits.cpu'))))
  assert.ok(!isQuotaExceeded(refusal(500, 'exceeded quota')))
  assert.ok(!isQuotaExceeded(new Error('exceeded quota')))
})

test('only the "restricted" standard has a remedy', () => {
  assert.ok(isRestrictedRefusal(refusal(403, forbidden('violates PodSecurity "restricted:latest": x'))))
  assert.ok(isRestrictedRefusal(refusal(403, forbidden('violates PodSecurity "restricted:v1.30": x'))))
  assert.ok(!isRestrictedRefusal(refusal(403, forbidden('violates PodSecurity "baseline:latest": x'))))
  assert.ok(!isRestrictedRefusal(new Error('violates PodSecurity "restricted')))
})
