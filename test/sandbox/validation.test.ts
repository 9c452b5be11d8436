import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultPod } from '../../src/sandbox/api/defaults.ts'
import { restrictedViolations } from '../../src/sandbox/api/pod-security.ts'
import { quotaProblem } from '../../src/sandbox/api/quota.ts'
import { validatePod } from '../../src/sandbox/api/validation.ts'
import type { ApiObject, Pod, ResourceQuota } from '../../src/sandbox/cluster/objects.ts'

function pod(spec: object, name = 'p'): Pod {
  return defaultPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name } as ApiObject['metadata'], spec })
}

const label = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`

// As a real cluster words them.
describe('a pod that is refused', () => {
  const rows: [why: string, spec: object, message: string][] = [
    ['no containers', {}, 'Pod "p" is invalid: spec.containers: Required value'],
    ['no image', { containers: [{ name: 'a' }] }, 'Pod "p" is invalid: spec.containers[0].image: Required value'],
    [
      'a bad name',
      { containers: [{ name: 'C_', image: 'x' }] },
      `Pod "p" is invalid: spec.containers[0].name: Invalid value: "C_": ${label}`,
    ],
    [
      'words that are none, twice the same name',
      { restartPolicy: 'x', containers: [1, 2].map(() => ({ name: 'a', image: 'x', imagePullPolicy: 'w' })) },
      'Pod "p" is invalid: [spec.containers[0].imagePullPolicy: Unsupported value: "w": supported values: "Always", "IfNotPresent", "Never", spec.containers[1].imagePullPolicy: Unsupported value: "w": supported values: "Always", "IfNotPresent", "Never", spec.containers[1].name: Duplicate value: "a", spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"]',
    ],
    [
      'no quantity',
      { containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: 'x' } } }] },
      `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
  ]
  for (const [why, spec, message] of rows) test(why, () => assert.throws(() => validatePod(pod(spec)), { message }))
})

test('defaults are those of a real API server', () => {
  const { spec, status } = pod({ containers: [{ name: 'a', image: 'busybox' }] })
  assert.equal(spec.restartPolicy, 'Always')
  assert.equal(spec.terminationGracePeriodSeconds, 30)
  assert.equal(spec.containers[0]?.imagePullPolicy, 'Always')
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'BestEffort' })
  const fixed = pod({ containers: [{ name: 'a', image: 'host:5000/busybox:1' }] })
  assert.equal(fixed.spec.containers[0]?.imagePullPolicy, 'IfNotPresent')
})

test('what the restricted standard refuses is said as on a real cluster', () => {
  const text = restrictedViolations(pod({ containers: [{ name: 'c', image: 'x' }] })).join(', ')
  assert.equal(
    text,
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  )
})

function wants(memory?: string): Pod {
  return pod({ containers: [{ name: 'c', image: 'x', ...(memory && { resources: { limits: { memory } } }) }] })
}

test('quota problems are worded as on a real cluster', () => {
  const quota = {
    metadata: { name: 'two-pods' },
    spec: { hard: { pods: '2', 'limits.memory': '1Gi' } },
  } as unknown as ResourceQuota
  assert.equal(quotaProblem(quota, wants(), []), 'failed quota: two-pods: must specify limits.memory for: c')
  assert.equal(quotaProblem(quota, wants('512Mi'), [wants('512Mi')]), undefined)
  assert.equal(
    quotaProblem(quota, wants('2Gi'), []),
    'exceeded quota: two-pods, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi',
  )
  assert.equal(
    quotaProblem(quota, wants('1Mi'), [wants('1Mi'), wants('1Mi')]),
    'exceeded quota: two-pods, requested: pods=1, used: pods=2, limited: pods=2',
  )
})
