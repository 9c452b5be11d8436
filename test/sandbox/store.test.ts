import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiObject } from '../../src/sandbox/cluster/objects.ts'
import { namespaces } from '../../src/sandbox/cluster/resources.ts'
import { type Change, Store } from '../../src/sandbox/cluster/store.ts'

function namespace(name: string) {
  const status = { phase: 'Active' as const }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } as ApiObject['metadata'], status }
}

test('each change is the next version, and is told', () => {
  const store = new Store()
  const told: Change[] = []
  const stop = store.listen((change) => told.push(change))
  const made = store.add(namespaces, namespace('a'))
  const changed = store.change(namespaces, made, (draft) => (draft.status.phase = 'Terminating'))
  store.remove(namespaces, made)
  stop()
  store.add(namespaces, namespace('b'))
  assert.deepEqual(
    told.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'DELETED'],
  )
  const versions = told.map(({ object }) => Number(object.metadata.resourceVersion))
  assert.deepEqual(versions, [store.version - 3, store.version - 2, store.version - 1])
  assert.equal(made.status.phase, 'Active')
  assert.equal(changed?.status.phase, 'Terminating')
  assert.equal(told[2]?.before, changed)
})

test('what has another uid is not changed and not removed', () => {
  const store = new Store()
  const old = store.add(namespaces, namespace('a'))
  store.remove(namespaces, old)
  const anew = store.add(namespaces, namespace('a'))
  assert.equal(
    store.change(namespaces, old, () => assert.fail('changed')),
    undefined,
  )
  store.remove(namespaces, old)
  assert.equal(store.get(namespaces, { name: 'a' }), anew)
})

test('changes can be told again, as far as they are remembered', () => {
  const store = new Store(3)
  const begin = store.version
  for (const name of ['a', 'b', 'c']) store.add(namespaces, namespace(name))
  assert.deepEqual(
    store.since(begin + 1).map(({ object }) => object.metadata.name),
    ['b', 'c'],
  )
  store.add(namespaces, namespace('d'))
  assert.equal(store.since(begin + 1).length, 3)
  assert.throws(() => store.since(begin), { message: `too old resource version: ${begin} (${begin + 1})` })
})

test('lists are sorted', () => {
  const store = new Store()
  for (const name of ['c', 'a', 'b']) store.add(namespaces, namespace(name))
  assert.deepEqual(
    store.list(namespaces).map(({ metadata }) => metadata.name),
    ['a', 'b', 'c'],
  )
})
