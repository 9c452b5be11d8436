import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1Pod } from '@kubernetes/client-node'
import { KuberunError } from '../../src/errors.ts'
import type { CommandEnd } from '../../src/exec/command.ts'
import type { PodObserver } from '../../src/pod/observer.ts'
import { findEnding } from '../../src/run/find-ending.ts'
import { podWith, running, terminated } from '../support/pod-statuses.ts'

const lost = new KuberunError('connection', 'connection to the API server lost: x')
const ended = (podEnding: boolean): CommandEnd => ({ kind: 'ended', exitCode: 0, outOfMemory: false, podEnding })

/** A pod that goes through these states, one at each look for a change; then its watch is lost. */
function observerOf(...states: (V1Pod | 'deleted')[]) {
  const [first, ...rest] = states
  let asked = 0
  const observer = {
    pod: first === 'deleted' || first === undefined ? podWith() : first,
    deleted: first === 'deleted',
    change: async () => {
      asked++
      const next = rest.shift()
      if (next === undefined) throw new Error('the watch is lost')
      if (next === 'deleted') observer.deleted = true
      else observer.pod = next
    },
  }
  return { observer: observer as unknown as PodObserver, asked: () => asked }
}

const alive = podWith({ state: running })
const oom = podWith({ state: terminated(137, 'OOMKilled') })

test('a command that ended by itself is not asked about', async () => {
  const { observer, asked } = observerOf(oom)
  assert.equal(await findEnding(observer, ended(false)), undefined)
  assert.equal(asked(), 0)
})

test('what the watch knows already is told at once', async () => {
  const { observer, asked } = observerOf(oom)
  assert.match((await findEnding(observer, lost))?.message ?? '', /out of memory/)
  assert.equal(asked(), 0)
})

test('what the watch brings a moment later is waited for', async () => {
  const { observer, asked } = observerOf(alive, alive, oom)
  assert.match((await findEnding(observer, lost))?.message ?? '', /out of memory/)
  assert.equal(asked(), 2)
})

test('an object that is gone was deleted', async () => {
  assert.equal((await findEnding(observerOf(alive, 'deleted').observer, undefined))?.message, 'it was deleted')
})

test('a watch that is lost brings nothing more, and is not asked again', async () => {
  const { observer, asked } = observerOf(alive)
  assert.equal(await findEnding(observer, lost), undefined)
  assert.equal(asked(), 1)
})

test('a pod that was asked to end, by whomever, is told so', async () => {
  assert.equal((await findEnding(observerOf(alive).observer, ended(true)))?.message, 'it was asked to end')
})
