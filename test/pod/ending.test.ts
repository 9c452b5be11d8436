import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { endingOf, isOver, memoryLimit } from '../../src/pod/ending.ts'
import { noShellMessage, type PodSketch, podWith, running, terminated, waiting } from '../support/pod-statuses.ts'

const disrupted = (reason: string, message?: string) => ({
  phase: 'Running',
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason, ...(message !== undefined && { message }) }],
})

suite('the ending of a pod', () => {
  const rows: [string, PodSketch, string | undefined, object?][] = [
    ['that runs is none', { state: running, status: { phase: 'Running' } }, undefined],
    ['that waits is none', { state: waiting('ContainerCreating') }, undefined],
    ['of which only a sidecar has ended is none', { state: running, sidecars: [terminated(1, 'Error')] }, undefined],
    ['whose init container has done well is none', { init: [terminated(0, 'Completed')], state: running }, undefined],
    [
      'whose init container is tried again is none',
      { init: [terminated(1, 'Error')], state: waiting('PodInitializing') },
      undefined,
    ],
    ['by eviction', { status: { phase: 'Failed', reason: 'Evicted' } }, 'it was evicted: no cause given'],
    [
      'by a node that shuts down',
      {
        status: {
          phase: 'Failed',
          reason: 'Terminated',
          message: 'Pod was terminated in response to imminent node shutdown.',
        },
      },
      'Terminated: Pod was terminated in response to imminent node shutdown.',
    ],
    ['by a node that is lost', { status: { phase: 'Failed', reason: 'NodeLost' } }, 'NodeLost'],
    [
      'by a drain',
      { state: running, status: disrupted('EvictionByEvictionAPI', 'Eviction API: evicting') },
      'it was evicted: Eviction API: evicting',
    ],
    [
      'by preemption',
      { state: running, status: disrupted('PreemptionByScheduler') },
      'it was evicted: PreemptionByScheduler',
    ],
    [
      'by a drain, although the container has ended meanwhile',
      { state: terminated(143, 'Error'), status: disrupted('EvictionByEvictionAPI', 'x') },
      'it was evicted: x',
    ],
    [
      'for want of memory',
      { state: terminated(137, 'OOMKilled'), limit: '20Mi' },
      'it ran out of memory (limit 20Mi)',
      { outOfMemory: { limit: '20Mi' } },
    ],
    [
      'for want of memory without a limit',
      { state: terminated(137, 'OOMKilled') },
      'it ran out of memory',
      { outOfMemory: {} },
    ],
    [
      'for want of memory, before',
      { state: waiting('CrashLoopBackOff'), lastState: terminated(137, 'OOMKilled') },
      'it ran out of memory',
      { outOfMemory: {} },
    ],
    [
      'for want of a shell',
      { state: terminated(128, 'StartError', noShellMessage) },
      'its image has no shell',
      { noShell: true },
    ],
    ['for a wrong start', { state: terminated(128, 'StartError', 'x') }, 'x'],
    ['for a wrong start without words', { state: terminated(127, 'ContainerCannotRun') }, 'ContainerCannotRun'],
    ['of its container', { state: terminated(0, 'Completed') }, 'its container ended (Completed 0)'],
    ['by a delete', { state: running, deletionTimestamp: new Date(0) }, 'it was deleted'],
    [
      'by a delete, its container over',
      { state: terminated(137, 'Error'), deletionTimestamp: new Date(0) },
      'it was deleted',
    ],
    [
      'for want of memory, although it is deleted meanwhile',
      { state: terminated(137, 'OOMKilled'), deletionTimestamp: new Date(0) },
      'it ran out of memory',
      { outOfMemory: {} },
    ],
  ]
  for (const [name, sketch, message, more] of rows) {
    test(name, () => {
      const ending = endingOf(podWith(sketch))
      assert.equal(ending?.message, message)
      for (const key of ['outOfMemory', 'noShell'] as const) {
        assert.deepEqual(ending?.[key], (more as Record<string, unknown> | undefined)?.[key], key)
      }
    })
  }
})

test('a pod is over when our container is, or the whole of it', () => {
  const rows: [PodSketch, boolean][] = [
    [{ state: running }, false],
    [{ state: running, sidecars: [terminated(0, 'Completed')] }, false],
    [{ state: running, deletionTimestamp: new Date(0) }, false],
    [{ state: terminated(0, 'Completed'), sidecars: [running] }, true],
    [{ status: { phase: 'Failed' } }, true],
    [{ status: { phase: 'Succeeded' } }, true],
    [{ status: { phase: 'Unknown' } }, false],
    [{}, false],
  ]
  for (const [sketch, over] of rows) assert.equal(isOver(podWith(sketch)), over, JSON.stringify(sketch))
})

test('the memory limit is our container’s', () => {
  assert.equal(memoryLimit(podWith({ limit: '1Gi' })), '1Gi')
  assert.equal(memoryLimit(podWith()), undefined)
  assert.equal(memoryLimit({}), undefined)
})
