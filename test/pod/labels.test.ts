import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { allRunsSelector, isExpired, ownRunsSelector, runAnnotations, runMetadata } from '../../src/pod/labels.ts'
import { newRun, ownerLabel } from '../../src/pod/name.ts'

const now = new Date('2030-01-01T12:00:00Z')
const before = new Date(now.getTime() - 1)
const after = new Date(now.getTime() + 1)
const run = newRun('kuberun')
const clients = {
  lives: run.client,
  // Its process id was another's before.
  ended: run.client.replace(/[^/]*$/, '1'),
  unknown: '',
}

interface Sketch {
  phase?: string
  rm?: string
  startBy?: Date
  deleted?: boolean
  client?: keyof typeof clients
  /** Seconds ago. */
  ended?: number
}

test('a pod is expired when nobody can be expected to remove it any more', () => {
  const rows: [Sketch, boolean][] = [
    [{ phase: 'Succeeded' }, true],
    [{ phase: 'Failed' }, true],
    [{ phase: 'Failed', ended: 61 }, true],
    [{ phase: 'Failed', ended: 59 }, false],
    [{ phase: 'Failed', ended: 59, client: 'ended' }, true],
    [{ phase: 'Failed', client: 'lives' }, false],
    [{ phase: 'Succeeded', client: 'lives' }, false],
    [{ phase: 'Pending', client: 'lives' }, false],
    [{ phase: 'Pending', client: 'ended', startBy: after }, true],
    [{ phase: 'Running', client: 'ended' }, true],
    [{ phase: 'Succeeded', rm: 'on-success' }, true],
    [{ phase: 'Succeeded', rm: 'on-success', client: 'lives' }, false],
    [{ phase: 'Running', rm: 'on-success', client: 'ended' }, false],
    [{ phase: 'Running' }, false],
    [{ phase: 'Unknown' }, false],
    [{}, false],
    [{ phase: 'Pending', startBy: before }, true],
    [{ phase: 'Pending', startBy: after }, false],
    [{ phase: 'Running', startBy: before }, false],
    [{ phase: 'Succeeded', rm: 'never' }, false],
    [{ phase: 'Failed', rm: 'on-success' }, false],
    [{ phase: 'Failed', deleted: true }, false],
  ]
  for (const [{ phase, rm = 'always', startBy = before, deleted, client = 'unknown', ended }, expected] of rows) {
    const finishedAt = ended && new Date(now.getTime() - ended * 1000)
    const pod: V1Pod = {
      metadata: {
        annotations: runAnnotations({ ...run, client: clients[client] }, { command: 'kuberun', startBy, rm }),
        ...(deleted && { deletionTimestamp: now }),
      },
      status: {
        ...(phase !== undefined && { phase }),
        ...(finishedAt && { containerStatuses: [{ state: { terminated: { finishedAt } } } as V1ContainerStatus] }),
      },
    }
    assert.equal(isExpired(pod, now), expected, JSON.stringify([phase, rm, startBy, deleted, client, ended]))
  }
})

test('a pod without our annotations is never ours to remove', () => {
  assert.equal(isExpired({ status: { phase: 'Failed' } }, now), false)
  assert.equal(
    isExpired({ metadata: { annotations: { 'kuberun/rm': 'always' } }, status: { phase: 'Pending' } }, now),
    false,
  )
})

test('the selectors match the labels of a run', () => {
  const { labels } = runMetadata(run)
  const has = (selector: string) =>
    selector.split(',').every((term) => {
      const [name = '', value] = term.split('=')
      return labels[name] === value
    })
  assert.ok(has(allRunsSelector))
  assert.ok(has(ownRunsSelector(run.owner)))
  assert.ok(!has(ownRunsSelector('somebody@elsewhere')))
})

test('an owner is a label’s value, whatever the name is', () => {
  for (const owner of ['me@here', 'ÄÖ ü@x', 'a'.repeat(500), '@', '-']) {
    assert.match(ownerLabel(owner), /^[a-z0-9]{16}$/)
  }
  assert.notEqual(ownerLabel('a@b'), ownerLabel('a@c'))
})

test('names are what Kubernetes takes, and differ', () => {
  const names = Array.from({ length: 1_000 }, () => newRun('kuberun').name)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^kuberun-[a-z0-9]{12}$/)
})
