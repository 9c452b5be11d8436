import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import { ApiError } from '../../src/errors.ts'
import { openExec } from '../../src/exec/exec.ts'
import { openKubeClient } from '../../src/kube/client.ts'
import { eventsPath, jobPath, jobsPath, podPath, podsPath } from '../../src/kube/resources.ts'
import type { Runtime } from '../../src/sandbox/runtime.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'

const namespace = 'default'
const signal = AbortSignal.timeout(180_000)

const sandbox = await startSandbox({ onError: (error) => assert.fail(String(error)) })
const client = await openKubeClient({ kubeconfig: sandbox.kubeconfig }, { env: {} })
after(async () => {
  client.close()
  await sandbox[Symbol.asyncDispose]()
})

let pods = 0

async function make(spec: object, fault?: string, metadata: object = {}): Promise<V1Pod> {
  const annotations = fault === undefined ? {} : { 'sandbox.kuberun/fault': fault }
  const container = { name: 'c', image: 'busybox:1', command: ['sleep', '100'], ...spec }
  const body = {
    metadata: { name: `p${++pods}`, annotations, ...metadata },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [container],
      ...('containers' in spec ? spec : {}),
    },
  }
  return client.request<V1Pod>({ method: 'POST', path: podsPath(namespace), body, signal })
}

/** The pod as it is when it is as wanted. */
async function seen(pod: V1Pod, wanted: (pod: V1Pod) => boolean | undefined): Promise<V1Pod> {
  const { name = '', resourceVersion = '' } = pod.metadata ?? {}
  const query = { fieldSelector: `metadata.name=${name}` }
  const watch = client.watch<V1Pod>({ path: podsPath(namespace), query, resourceVersion, signal })
  for await (const { object } of watch) if (wanted(object)) return object
  throw new Error('the watch ended')
}

async function ran(pod: V1Pod, script: string): Promise<void> {
  const target = { namespace, pod: pod.metadata?.name ?? '', container: 'c' }
  const exec = await openExec(client, { target, command: ['sh', '-c', script], stdin: false, tty: false, signal })
  for await (const _ of exec.output);
}

const isOver = ({ status }: V1Pod) => status?.phase === 'Failed' || status?.phase === 'Succeeded'
const stateOf = ({ status }: V1Pod) => status?.containerStatuses?.[0]?.state
const isBeingDeleted = ({ metadata }: V1Pod) => metadata?.deletionTimestamp !== undefined
const isRunning = (pod: V1Pod) => stateOf(pod)?.running !== undefined

async function eventsOf(pod: V1Pod): Promise<string[]> {
  const query = { fieldSelector: `involvedObject.name=${pod.metadata?.name}` }
  const list = await client.request<{ items: { reason: string }[] }>({
    method: 'GET',
    path: eventsPath(namespace),
    query,
    signal,
  })
  return list.items.map(({ reason }) => reason)
}

describe('what goes wrong on request', () => {
  test('a slow start', async () => {
    const begin = performance.now()
    await seen(await make({}, 'slow-start=700ms'), isRunning)
    assert.ok(performance.now() - begin >= 700)
  })

  test('no node', async () => {
    const pod = await seen(await make({}, 'unschedulable'), ({ status }) => status?.conditions !== undefined)
    assert.equal(pod.status?.conditions?.[0]?.reason, 'Unschedulable')
    assert.deepEqual(await eventsOf(pod), ['FailedScheduling'])
  })

  test('an image that cannot be pulled', async () => {
    const pod = await make({}, 'pull-error')
    await seen(pod, (each) => stateOf(each)?.waiting?.reason === 'ErrImagePull')
    await seen(pod, (each) => stateOf(each)?.waiting?.reason === 'ImagePullBackOff')
    assert.deepEqual(await eventsOf(pod), ['Scheduled', 'Pulling', 'Failed', 'Failed', 'BackOff', 'Failed'])
  })

  test('an eviction', async () => {
    const { status } = await seen(await make({}, 'evicted=300ms'), isOver)
    assert.equal(status?.reason, 'Evicted')
  })

  test('not enough memory', async () => {
    const pod = await seen(await make({}, 'out-of-memory=100ms'), isOver)
    assert.equal(stateOf(pod)?.terminated?.reason, 'OOMKilled')
    assert.equal(stateOf(pod)?.terminated?.exitCode, 137)
  })

  test('an exec that is cut', async () => {
    const pod = await seen(await make({}, 'cut-after=100000'), isRunning)
    const target = { namespace, pod: pod.metadata?.name ?? '', container: 'c' }
    const exec = await openExec(client, { target, command: ['cat', '/dev/zero'], stdin: false, tty: false, signal })
    let bytes = 0
    await assert.rejects(
      async () => {
        for await (const { data } of exec.output) bytes += data.length
      },
      { code: 'connection' },
    )
    assert.equal(bytes, 100_000)
  })

  test('an API server that goes away for a while', async () => {
    const pod = await make({}, 'api-restart=100ms,slow-start=600ms')
    await seen(pod, isRunning)
  })

  test('a fault that there is not', async () => {
    await assert.rejects(make({}, 'nonsense'), /unknown fault "nonsense"/)
  })
})

describe('the life of a pod', () => {
  test('init containers come first, one after the other', async () => {
    const init = ['i1', 'i2'].map((name) => ({ name, image: 'x:1', command: ['sleep', '0.2'] }))
    const containers = [{ name: 'c', image: 'x:1', command: ['true'] }]
    const { status } = await seen(await make({ containers, initContainers: init }), isOver)
    assert.equal(status?.phase, 'Succeeded')
    const times = status?.initContainerStatuses?.map(({ state }) => String(state?.terminated?.finishedAt))
    assert.deepEqual(times, times?.toSorted())
  })

  test('an init container that fails ends the pod', async () => {
    const init = [{ name: 'i', image: 'x:1', command: ['sh', '-c', 'exit 3'] }]
    const { status } = await seen(
      await make({ containers: [{ name: 'c', image: 'x:1' }], initContainers: init }),
      isOver,
    )
    assert.equal(status?.phase, 'Failed')
    assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing')
  })

  test('a deadline', async () => {
    const containers = [{ name: 'c', image: 'x:1', command: ['sleep', '100'] }]
    const { status } = await seen(await make({ containers, activeDeadlineSeconds: 1 }), isOver)
    assert.equal(status?.reason, 'DeadlineExceeded')
  })

  test('a missing secret holds the container up', async () => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }]
    const pod = await seen(await make({ env }), (each) => stateOf(each)?.waiting?.message !== undefined)
    assert.deepEqual(stateOf(pod)?.waiting, {
      reason: 'CreateContainerConfigError',
      message: 'secret "none" not found',
    })
  })

  test('variables are expanded', async () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)$$(A)$(C)' },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]
    const script = 'test "$B" = \'a$(A)$(C)\' && test "$NODE" = sandbox'
    const pod = await seen(await make({ env, command: ['sh', '-c', script.replaceAll('$', '$$$$')] }), isOver)
    assert.equal(pod.status?.phase, 'Succeeded')
  })

  test('the object goes when the containers have ended', async () => {
    const command = ['sh', '-c', "trap 'sleep 0.5; exit' TERM; : >/tmp/ready; while :; do sleep 0.05; done"]
    const pod = await seen(await make({ command }), isRunning)
    await ran(pod, 'until [ -e /tmp/ready ]; do sleep 0.02; done')
    const path = podPath(namespace, pod.metadata?.name ?? '')
    await client.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 20 }, signal })
    const last = await seen(pod, isOver)
    assert.equal(stateOf(last)?.terminated?.exitCode, 0)
    await assert.rejects(
      async () => {
        for (;;) await client.request({ method: 'GET', path, signal })
      },
      { status: 404 },
    )
  })
})

async function job(name: string, spec: object): Promise<V1Job> {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'n', image: 'x' }] } }
  const body = { metadata: { name }, spec: { parallelism: 0, ttlSecondsAfterFinished: 0, template, ...spec } }
  return client.request<V1Job>({ method: 'POST', path: jobsPath(namespace), body, signal })
}
function ownedBy({ metadata }: V1Job): object {
  const { name, uid } = metadata ?? {}
  return { name: `${name}-pod`, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid }] }
}

describe('a Job that guards', () => {
  test('takes its pod with it at its deadline', async () => {
    const pod = await seen(await make({}, undefined, ownedBy(await job('j1', { activeDeadlineSeconds: 1 }))), isRunning)
    await seen(pod, isBeingDeleted)
    const gone = client.request({ method: 'GET', path: jobPath(namespace, 'j1'), signal })
    await assert.rejects(gone, (error) => error instanceof ApiError && error.status === 404)
  })

  test('lives longer when its deadline is moved', async () => {
    await job('j2', { activeDeadlineSeconds: 1 })
    const path = jobPath(namespace, 'j2')
    await client.request({ method: 'PATCH', path, body: { spec: { activeDeadlineSeconds: 100 } }, signal })
    // One that is made later, and not moved, has ended.
    const later = await make({}, undefined, ownedBy(await job('later', { activeDeadlineSeconds: 1 })))
    await seen(later, isBeingDeleted)
    await client.request({ method: 'GET', path, signal })
  })

  test('leaves its pod when it is told to', async () => {
    const pod = await seen(await make({}, undefined, ownedBy(await job('j3', {}))), isRunning)
    const query = { propagationPolicy: 'Orphan' }
    await client.request({ method: 'DELETE', path: jobPath(namespace, 'j3'), query, signal })
    const left = await client.request<V1Pod>({
      method: 'GET',
      path: podPath(namespace, pod.metadata?.name ?? ''),
      signal,
    })
    assert.deepEqual(left.metadata?.ownerReferences, [])
  })

  test('a pod whose owner is not there goes', async () => {
    const pod = await make({}, undefined, ownedBy({ metadata: { name: 'none', uid: 'none' } }))
    await seen(pod, isBeingDeleted)
  })
})

test('a container that comes up after its pod’s time is over is killed', async () => {
  const asked = Promise.withResolvers<void>()
  const up = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<{ code: number }>()
  const runtime: Runtime = {
    start: async () => {
      asked.resolve()
      await up.promise
      return {
        ended: ended.promise,
        exec: () => Promise.reject(new Error('not here')),
        signal: (name) => name === 'KILL' && ended.resolve({ code: 137 }),
        remove: async () => {},
      }
    },
    [Symbol.asyncDispose]: async () => {},
  }
  await using slow = await startSandbox({ runtime })
  const other = await openKubeClient({ kubeconfig: slow.kubeconfig }, { env: {} })
  const container = { name: 'c', image: 'x' }
  const body = { metadata: { name: 'late' }, spec: { restartPolicy: 'Never', containers: [container] } }
  const { metadata } = await other.request<V1Pod>({ method: 'POST', path: podsPath(namespace), body, signal })
  await asked.promise
  const brief = { gracePeriodSeconds: 1 }
  await other.request({ method: 'DELETE', path: podPath(namespace, 'late'), body: brief, signal })
  // Until the kubelet has given up on it.
  await setTimeout(1_100)
  up.resolve()
  const watch = other.watch<V1Pod>({
    path: podsPath(namespace),
    resourceVersion: metadata?.resourceVersion ?? '',
    signal,
  })
  for await (const { type } of watch) if (type === 'DELETED') break
  other.close()
})
