import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1Pod } from '@kubernetes/client-node'
import type { OverrideType } from '../../src/options.ts'
import { applyOverrides } from '../../src/pod/overrides.ts'

const pod: V1Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', labels: { run: 'x' } },
  spec: {
    restartPolicy: 'Never',
    containers: [{ name: 'main', image: 'i', env: [{ name: 'A', value: '1' }], resources: {} }],
    tolerations: [{ key: 'a', operator: 'Exists' }],
    volumes: [{ name: 'v', emptyDir: {} }],
  },
}

function apply(type: OverrideType, patch: unknown) {
  return applyOverrides(pod, JSON.stringify(patch), type)
}

test('a merge patch merges objects, replaces lists, and takes away what is null', () => {
  const merged = apply('merge', {
    metadata: { labels: { run: null, a: 'b' } },
    spec: { hostNetwork: true, containers: [{ name: 'other' }], volumes: null },
  })
  assert.deepEqual(merged.metadata, { name: 'x', labels: { a: 'b' } })
  assert.deepEqual(merged.spec, {
    restartPolicy: 'Never',
    hostNetwork: true,
    containers: [{ name: 'other' }],
    tolerations: [{ key: 'a', operator: 'Exists' }],
  })
})

// The examples of RFC 7386, appendix A, in a place where anything may stand.
test('a merge patch does what RFC 7386 shows', () => {
  const rows: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  ]
  for (const [target, patch, result] of rows) {
    const before = { ...pod, spec: { ...pod.spec, affinity: target } } as V1Pod
    const after = applyOverrides(before, JSON.stringify({ spec: { affinity: patch } }), 'merge')
    assert.deepEqual(after.spec?.affinity, result)
  }
})

test('a strategic patch merges lists by their keys', () => {
  const { spec } = apply('strategic', {
    spec: {
      containers: [
        {
          name: 'main',
          env: [
            { name: 'A', value: '2' },
            { name: 'B', value: '3' },
          ],
          ports: [{ containerPort: 80 }],
        },
        { name: 'sidecar', image: 's', command: null },
      ],
      tolerations: [{ key: 'b' }],
      volumes: [{ name: 'w', hostPath: { path: '/' } }],
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['h'] }],
    },
  })
  assert.deepEqual(spec?.containers, [
    {
      name: 'main',
      image: 'i',
      env: [
        { name: 'A', value: '2' },
        { name: 'B', value: '3' },
      ],
      resources: {},
      ports: [{ containerPort: 80 }],
    },
    { name: 'sidecar', image: 's' },
  ])
  assert.deepEqual(spec?.tolerations, [{ key: 'b' }])
  assert.deepEqual(spec?.volumes, [
    { name: 'w', hostPath: { path: '/' } },
    { name: 'v', emptyDir: {} },
  ])
})

test('a strategic patch obeys its directives', () => {
  const rows: [object, object][] = [
    [{ volumes: [{ name: 'v', $patch: 'delete' }] }, { volumes: [] }],
    [{ volumes: [{ $patch: 'replace' }, { name: 'w' }] }, { volumes: [{ name: 'w' }] }],
    [
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    ],
    [{ containers: [{ name: 'main', env: [{ name: 'A', $patch: 'delete' }] }] }, {}],
    [{ $patch: 'replace', containers: [{ name: 'c' }] }, { containers: [{ name: 'c' }] }],
    [{ tolerations: null }, { tolerations: undefined }],
    [{ affinity: { $patch: 'replace', nodeAffinity: {} } }, { affinity: undefined }],
  ]
  for (const [patch, expected] of rows) {
    const spec = apply('strategic', { spec: patch }).spec ?? {}
    for (const [field, value] of Object.entries(expected)) {
      assert.deepEqual(spec[field as keyof typeof spec], value, JSON.stringify(patch))
    }
  }
  const finalizers = { ...pod, metadata: { name: 'x', finalizers: ['a', 'b'] } }
  const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }
  const after = applyOverrides(finalizers, JSON.stringify(patch), 'strategic')
  assert.deepEqual(after.metadata?.finalizers, ['b'])
})

test('a JSON patch is done operation by operation', () => {
  const patched = apply('json', [
    { op: 'test', path: '/spec/containers/0/name', value: 'main' },
    { op: 'add', path: '/spec/containers/-', value: { name: 'b' } },
    { op: 'replace', path: '/metadata/labels/run', value: 'y' },
    { op: 'add', path: '/metadata/labels/a~1b', value: 'c' },
    { op: 'remove', path: '/spec/volumes' },
    { op: 'copy', from: '/spec/containers/0/image', path: '/spec/containers/1/image' },
    { op: 'move', from: '/spec/tolerations', path: '/spec/other' },
  ])
  assert.deepEqual(patched.metadata?.labels, { run: 'y', 'a/b': 'c' })
  assert.deepEqual(patched.spec?.containers[1], { name: 'b', image: 'i' })
  assert.equal(patched.spec?.tolerations, undefined)
})

test('the manifest that is given stays as it is', () => {
  const before = structuredClone(pod)
  apply('merge', { spec: { volumes: [] }, metadata: { name: 'y' } })
  apply('strategic', { spec: { containers: [{ name: 'main', image: 'z' }] } })
  apply('json', [{ op: 'remove', path: '/spec/volumes' }])
  assert.deepEqual(pod, before)
})

test('a key that means something in JavaScript means nothing here', () => {
  applyOverrides(pod, '{"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1}}}', 'merge')
  applyOverrides(pod, '{"__proto__":{"polluted":1},"spec":{"__proto__":{"polluted":1}}}', 'strategic')
  try {
    applyOverrides(pod, '[{"op":"add","path":"/__proto__/polluted","value":1}]', 'json')
  } catch {
    // Refused is as good.
  }
  assert.equal('polluted' in {}, false)
})

test('a patch that cannot be applied is refused, with what is wrong', () => {
  const rows: [OverrideType, unknown, RegExp][] = [
    ['merge', { spec: null }, /^cannot apply overrides: "spec" must be an object, and became nothing$/],
    ['merge', { spec: 5 }, /"spec" must be an object, and became a number$/],
    ['merge', { spec: { containers: {} } }, /"spec.containers" must be a list, and became an object$/],
    ['merge', { spec: { containers: ['a'] } }, /an item of "spec.containers" must be an object, and became a string$/],
    ['merge', { metadata: { labels: [] } }, /"metadata.labels" must be an object, and became a list$/],
    ['strategic', { spec: { containers: [{ image: 'x' }] } }, /does not contain the merge key "name"$/],
    ['strategic', { spec: { containers: ['x'] } }, /in a list that is merged by "name"$/],
    ['strategic', { spec: { $patch: 'drop' } }, /unknown "\$patch" "drop"$/],
    ['strategic', { spec: { '$setElementOrder/volumes': [] } }, /"\$setElementOrder\/volumes" is not supported$/],
    ['strategic', { spec: { volumes: [{ name: 'v', $retainKeys: ['name'], x: 1 }] } }, /"\$retainKeys" must be a list/],
    ['json', [{ op: 'remove', path: '/spec/no' }], /operation 1: remove "\/spec\/no" failed$/],
    ['json', [{ op: 'add', path: '/spec/no/thing', value: 1 }], /operation 1: add "\/spec\/no\/thing" failed$/],
    ['json', [{ op: 'test', path: '/kind', value: 'Job' }], /operation 1: test "\/kind" failed$/],
    ['json', [{ op: 'remove', path: '' }], /operation 1: remove|the manifest must be an object/],
    ['json', [{ op: 'replace', path: '', value: [] }], /the manifest must be an object, and became a list$/],
  ]
  for (const [type, patch, message] of rows) {
    assert.throws(() => apply(type, patch), { name: 'UsageError', message }, JSON.stringify(patch))
  }
})
