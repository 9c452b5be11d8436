import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { diagnose } from '../../src/pod/diagnosis.ts'
import { noShellMessage, type PodSketch, podWith, running, terminated, waiting } from '../support/pod-statuses.ts'

const evicted = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' }
const unschedulable =
  "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
const notScheduled = (message?: string) => ({
  phase: 'Pending',
  conditions: [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', ...(message !== undefined && { message }) },
  ],
})
const pull = (cause: string) =>
  `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nope:1": failed to resolve reference "docker.io/library/nope:1": ${cause}`
const backOff = (cause: string) => `Back-off pulling image "nope:1": ErrImagePull: ${pull(cause)}`

suite('a pod that may still start', () => {
  const rows: [string, PodSketch, boolean, string | undefined, boolean?][] = [
    ['has no node yet', { spec: { nodeName: undefined as never } }, false, 'waiting for a node'],
    ['is on its node', {}, true, 'the container is being made'],
    ['is being made', { state: waiting('ContainerCreating') }, true, 'the container is being made'],
    [
      'has an init container',
      { init: [running], state: waiting('PodInitializing') },
      false,
      'init containers are running',
    ],
    [
      'has had its init container',
      { init: [terminated(0, 'Completed')], state: waiting('PodInitializing') },
      false,
      'init containers are running',
    ],
    [
      'has a sidecar',
      { sidecars: [waiting('ContainerCreating')], state: waiting('ContainerCreating') },
      false,
      'the container is being made',
    ],
    ['waits for another reason', { state: waiting('SomethingNew', 'x') }, false, 'the container is being made'],
    [
      'cannot be scheduled',
      { spec: { nodeName: undefined as never }, status: notScheduled(unschedulable) },
      false,
      `it cannot be scheduled: ${unschedulable}`,
      true,
    ],
    [
      'cannot be scheduled, for no reason',
      { spec: { nodeName: undefined as never }, status: notScheduled() },
      false,
      'it cannot be scheduled: Unschedulable',
      true,
    ],
    [
      'waits for a registry that is busy',
      {
        image: 'nope:1',
        state: waiting('ImagePullBackOff', backOff('unexpected status from GET request: 429 Too Many Requests')),
      },
      false,
      'image "nope:1" cannot be pulled yet: failed to resolve reference "docker.io/library/nope:1": unexpected status from GET request: 429 Too Many Requests',
      true,
    ],
    [
      'waits for a registry that is away',
      { image: 'nope:1', state: waiting('ErrImagePull', pull('dial tcp 1.2.3.4:443: i/o timeout')) },
      false,
      'image "nope:1" cannot be pulled yet: failed to resolve reference "docker.io/library/nope:1": dial tcp 1.2.3.4:443: i/o timeout',
      true,
    ],
  ]
  for (const [name, sketch, mayExec, reason, blocked] of rows) {
    test(name, () => {
      const diagnosis = diagnose(podWith(sketch))
      assert.equal(diagnosis.state, 'waiting')
      assert.ok(diagnosis.state === 'waiting')
      assert.equal(diagnosis.mayExec, mayExec)
      assert.equal(diagnosis.reason, reason)
      assert.equal(diagnosis.blocked ?? false, blocked ?? false)
    })
  }
})

suite('a pod that runs', () => {
  for (const [name, sketch] of [
    ['is running', { state: running, status: { phase: 'Running' } }],
    [
      'is running while a sidecar is not',
      { state: running, sidecars: [waiting('ImagePullBackOff', pull('not found'))] },
    ],
    ['is running though a sidecar has failed', { state: running, sidecars: [terminated(1, 'Error')] }],
  ] as [string, PodSketch][]) {
    test(name, () => assert.deepEqual(diagnose(podWith(sketch)), { state: 'running' }))
  }
})

suite('a pod that cannot start', () => {
  const cannot = 'pod "p" cannot start: '
  const didNot = 'pod "p" did not start: '
  const rows: [string, PodSketch, string, RegExp | undefined, ('tools' | 'uid')?][] = [
    [
      'names no image',
      { image: 'UPPER:::x', state: waiting('InvalidImageName', 'Failed to apply default image tag "UPPER:::x": …') },
      `${cannot}the image name "UPPER:::x" is not valid`,
      /lower case/,
    ],
    [
      'may not pull',
      {
        image: 'nope:1',
        state: waiting('ErrImageNeverPull', 'Container image "nope:1" is not present with pull policy of Never'),
      },
      `${cannot}image "nope:1" is not on the node, and the pull policy is Never`,
      /IfNotPresent/,
    ],
    [
      'has an image that does not exist',
      { image: 'nope:1', state: waiting('ErrImagePull', pull('docker.io/library/nope:1: not found')) },
      `${cannot}image "nope:1" cannot be pulled: not found`,
      /name and the tag/,
    ],
    [
      'has it still',
      { image: 'nope:1', state: waiting('ImagePullBackOff', backOff('docker.io/library/nope:1: not found')) },
      `${cannot}image "nope:1" cannot be pulled: not found`,
      /tag/,
    ],
    [
      'has an image of Docker that does not exist',
      { image: 'nope:1', state: waiting('ErrImagePull', 'manifest unknown: manifest unknown') },
      `${cannot}image "nope:1" cannot be pulled: not found`,
      /tag/,
    ],
    [
      'may not have its image',
      {
        image: 'nope:1',
        state: waiting(
          'ErrImagePull',
          pull(
            'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
          ),
        ),
      },
      `${cannot}image "nope:1" cannot be pulled: access denied, or not found`,
      /imagePullSecrets/,
    ],
    [
      'has a wrong password',
      { image: 'nope:1', state: waiting('ImagePullBackOff', pull('unexpected status: 401 Unauthorized')) },
      `${cannot}image "nope:1" cannot be pulled: access denied, or not found`,
      /imagePullSecrets/,
    ],
    [
      'has an image for other machines',
      { image: 'nope:1', state: waiting('ErrImagePull', 'no match for platform in manifest: not found') },
      `${cannot}image "nope:1" cannot be pulled: it does not exist for the node's platform`,
      /tag/,
    ],
    [
      'has a broken image',
      { state: waiting('ImageInspectError', 'corrupt') },
      `${cannot}image "alpine:3.20" cannot be read on the node: corrupt`,
      /pull it again/,
    ],
    [
      'wants a Secret',
      { state: waiting('CreateContainerConfigError', 'secret "s" not found') },
      `${cannot}secret "s" not found`,
      /same namespace/,
    ],
    [
      'wants a key',
      { state: waiting('CreateContainerConfigError', "couldn't find key k in ConfigMap dev/c") },
      `${cannot}couldn't find key k in ConfigMap dev/c`,
      /same namespace/,
    ],
    [
      'would run as root',
      {
        state: waiting(
          'CreateContainerConfigError',
          'container has runAsNonRoot and image will run as root (pod: "x", container: kuberun)',
        ),
      },
      `${cannot}container has runAsNonRoot and image will run as root (pod: "x", container: kuberun)`,
      undefined,
      'uid',
    ],
    [
      'cannot be made',
      { state: waiting('CreateContainerError', 'context deadline exceeded') },
      `${cannot}the container could not be made: context deadline exceeded`,
      /--workdir/,
    ],
    [
      'cannot be run',
      { state: waiting('RunContainerError', 'a: b: c: mkdir /etc/passwd: not a directory: unknown') },
      `${cannot}the container could not be made: mkdir /etc/passwd: not a directory: unknown`,
      /--workdir/,
    ],
    [
      'has an init container with no image',
      { init: [waiting('ErrImagePull', pull('not found'))], state: waiting('PodInitializing') },
      `${cannot}image "init" cannot be pulled: not found`,
      /tag/,
    ],
    [
      'had an init container that failed',
      { status: { phase: 'Failed' }, init: [terminated(7, 'Error')], state: waiting('PodInitializing') },
      `${didNot}init container "i0" failed with Error (7)`,
      undefined,
    ],
    [
      'has no shell',
      { status: { phase: 'Failed' }, state: terminated(128, 'StartError', noShellMessage) },
      `${didNot}its image has no shell`,
      /--tools=auto/,
      'tools',
    ],
    [
      'has a folder that is none',
      {
        status: { phase: 'Failed' },
        state: terminated(128, 'StartError', 'runc create failed: mkdir /etc/passwd: not a directory'),
      },
      `${didNot}runc create failed: mkdir /etc/passwd: not a directory`,
      undefined,
    ],
    [
      'was evicted',
      { status: evicted },
      `${didNot}it was evicted: The node was low on resource: memory. `,
      /--requests/,
    ],
    [
      'had a deadline',
      { status: { phase: 'Failed', reason: 'DeadlineExceeded' }, spec: { activeDeadlineSeconds: 5 } },
      `${didNot}its deadline of 5 s has passed`,
      /--deadline/,
    ],
    [
      'did not fit',
      { status: { phase: 'Failed', reason: 'OutOfcpu', message: 'Node didn’t have enough resource: cpu' } },
      `${didNot}OutOfcpu: Node didn’t have enough resource: cpu`,
      /run it again/,
    ],
    [
      'was not admitted',
      { status: { phase: 'Failed', reason: 'UnexpectedAdmissionError' } },
      `${didNot}UnexpectedAdmissionError`,
      /run it again/,
    ],
    [
      'had too little memory',
      { status: { phase: 'Failed' }, state: terminated(137, 'OOMKilled'), limit: '4Mi' },
      `${didNot}it ran out of memory (limit 4Mi)`,
      /--limits=memory/,
    ],
    [
      'has ended',
      { status: { phase: 'Failed' }, state: terminated(3, 'Error') },
      `${didNot}its container ended (Error 3)`,
      undefined,
    ],
    ['was deleted', { deletionTimestamp: new Date(0) }, `${didNot}it was deleted`, undefined],
  ]
  for (const [name, sketch, message, hint, remedy] of rows) {
    test(name, () => {
      const diagnosis = diagnose(podWith(sketch))
      assert.ok(diagnosis.state === 'failed', JSON.stringify(diagnosis))
      assert.equal(diagnosis.error.message, message)
      assert.equal(diagnosis.error.code, 'pod')
      if (hint !== undefined) assert.match(diagnosis.error.hint ?? '', hint)
      assert.equal(diagnosis.remedy, remedy)
    })
  }
})

test('a container that has just failed to start for want of a shell waits for its end', () => {
  const diagnosis = diagnose(podWith({ state: waiting('RunContainerError', noShellMessage) }))
  assert.equal(diagnosis.state, 'waiting')
})
