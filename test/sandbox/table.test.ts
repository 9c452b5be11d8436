import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { humanDuration } from '../../src/sandbox/api/duration.ts'
import { podReady, podState } from '../../src/sandbox/api/pod-row.ts'
import type { ContainerState, Pod } from '../../src/sandbox/cluster/objects.ts'

const waiting = (reason: string): ContainerState => ({ waiting: { reason } })
const running: ContainerState = { running: { startedAt: '' } }
const ended = (exitCode: number, reason: string): ContainerState => {
  return { terminated: { exitCode, reason, startedAt: '', finishedAt: '', containerID: '' } }
}

function statuses(states: ContainerState[]) {
  return states.map((state, n) => ({ name: `c${n}`, state, ready: state === running }))
}

function pod(phase: string, main: ContainerState[], init: ContainerState[] = [], metadata = {}): Pod {
  return {
    metadata,
    spec: { containers: main.map(() => ({})), initContainers: init.map(() => ({})) },
    status: { phase, containerStatuses: statuses(main), initContainerStatuses: statuses(init) },
  } as unknown as Pod
}

describe('the state of a pod in a word', () => {
  const rows: [pod: Pod, state: string, ready: string][] = [
    [pod('Pending', [waiting('ContainerCreating')]), 'ContainerCreating', '0/1'],
    [pod('Running', [running]), 'Running', '1/1'],
    [pod('Succeeded', [ended(0, 'Completed')]), 'Completed', '0/1'],
    [pod('Failed', [ended(3, 'Error')]), 'Error', '0/1'],
    [pod('Failed', [ended(128, 'StartError'), ended(2, 'Error')]), 'StartError', '0/2'],
    [pod('Running', [ended(0, 'Completed'), running]), 'Running', '1/2'],
    [pod('Pending', [waiting('PodInitializing')], [running]), 'Init:0/1', '0/1'],
    [pod('Pending', [waiting('PodInitializing')], [ended(0, 'Completed'), running]), 'Init:1/2', '0/1'],
    [pod('Failed', [waiting('PodInitializing')], [ended(3, 'Error')]), 'Init:Error', '0/1'],
    [pod('Pending', [waiting('ImagePullBackOff')]), 'ImagePullBackOff', '0/1'],
    [pod('Running', [running], [], { deletionTimestamp: 'x' }), 'Terminating', '1/1'],
  ]
  for (const [given, state, ready] of rows) {
    test(`${state} ${ready}`, () => assert.deepEqual([podState(given), podReady(given)], [state, ready]))
  }
})

describe('durations', () => {
  const second = 1000
  const minute = 60 * second
  const hour = 60 * minute
  const rows: [milliseconds: number, text: string][] = [
    [-5, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 20 * second, '3m20s'],
    [11 * minute + 20 * second, '11m'],
    [3 * hour, '3h'],
    [3 * hour + 5 * minute, '3h5m'],
    [47 * hour, '47h'],
    [50 * hour, '2d2h'],
    [10 * 24 * hour, '10d'],
  ]
  for (const [milliseconds, text] of rows) test(text, () => assert.equal(humanDuration(milliseconds), text))
})
