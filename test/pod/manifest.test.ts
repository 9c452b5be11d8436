import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { V1Pod } from '@kubernetes/client-node'
import { UsageError } from '../../src/errors.ts'
import { holderCommand } from '../../src/pod/holder.ts'
import { type ManifestInput, podManifest } from '../../src/pod/manifest.ts'
import { newRun } from '../../src/pod/name.ts'
import { restrict, restrictedUid, uidOf } from '../../src/pod/restricted.ts'
import { containerName } from '../../src/pod/run-pod.ts'
import { plainShell, toolsShell } from '../../src/pod/shell.ts'
import { withTools } from '../../src/pod/tools.ts'
import { podOptions } from '../support/run-options.ts'

const run = { ...newRun('kuberun'), started: new Date('2030-01-01T00:00:00Z') }

function input(options: Parameters<typeof podOptions>[0] = {}, more: Partial<ManifestInput> = {}): ManifestInput {
  return {
    run,
    options: podOptions(options),
    namespace: 'dev',
    argv: ['psql', '--password=secret', 'select 1'],
    startTimeout: 60_000,
    rm: 'always',
    ...more,
  }
}

/** The manifest with a merge patch, or with a strategic one. */
function overridden(patch: unknown, overrideType: 'merge' | 'strategic' | 'json' = 'merge') {
  return podManifest(input({ overrides: JSON.stringify(patch), overrideType }))
}

const holder = holderCommand(plainShell, 60_000)

const level = (pod: V1Pod) => pod.spec?.containers[0]?.securityContext

suite('the manifest', () => {
  test('of a run without options holds what a run needs, and no more', () => {
    const { metadata, spec } = podManifest(input())
    assert.equal(metadata.name, run.name)
    assert.equal(metadata.namespace, 'dev')
    assert.deepEqual(spec, {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      activeDeadlineSeconds: 86_400,
      containers: [{ name: containerName, image: 'alpine:3.20', imagePullPolicy: 'IfNotPresent', command: holder }],
    })
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'kuberun')
    assert.equal(metadata.labels?.['kuberun/run'], run.runId)
    assert.equal(metadata.annotations?.['kuberun/started'], '2030-01-01T00:00:00.000Z')
    assert.equal(metadata.annotations?.['kuberun/start-by'], '2030-01-01T00:03:00.000Z')
    assert.equal(metadata.annotations?.['kuberun/rm'], 'always')
    assert.equal(metadata.annotations?.['kuberun/owner'], run.owner)
  })

  test('tells neither the arguments nor any value of the environment outside the container', () => {
    const pod = podManifest(input({ env: [{ name: 'TOKEN', value: 'hidden' }] }))
    assert.equal(pod.metadata.annotations?.['kuberun/command'], 'psql')
    assert.doesNotMatch(JSON.stringify(pod.metadata), /secret|select|hidden|TOKEN/)
    assert.doesNotMatch(JSON.stringify(pod.spec), /secret|select/)
  })

  test('tells no argument that stands in the first word either', () => {
    const pod = podManifest(input({}, { argv: ['psql --password=secret'] }))
    assert.equal(pod.metadata.annotations?.['kuberun/command'], 'psql')
  })

  test('tells the arguments where the user wants them recorded', () => {
    const pod = podManifest(input({ record: true }))
    assert.equal(pod.metadata.annotations?.['kuberun/command'], 'psql --password=secret select 1')
  })

  test('keeps values of the environment from being expanded', () => {
    const env = [
      { name: 'A', value: '$(B) $$ $' },
      { name: 'B', value: '' },
    ]
    assert.deepEqual(podManifest(input({ env })).spec.containers[0]?.env, [
      { name: 'A', value: '$$(B) $$$$ $$' },
      { name: 'B', value: '' },
    ])
  })

  test('has every option in its place', () => {
    const { metadata, spec } = podManifest(
      input({
        image: 'i:1',
        imagePullPolicy: 'Always',
        labels: { a: 'b', 'kuberun/run': 'mine' },
        annotations: { c: 'd', 'kuberun/rm': 'never' },
        serviceAccount: 'sa',
        limits: { memory: '1Gi' },
        requests: { cpu: '1' },
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'k', operator: 'Exists' }],
        workdir: '/w',
        deadline: 1_500,
      }),
    )
    const [container] = spec.containers
    assert.equal(container?.image, 'i:1')
    assert.equal(container?.imagePullPolicy, 'Always')
    assert.equal(container?.workingDir, '/w')
    assert.deepEqual(container?.resources, { limits: { memory: '1Gi' }, requests: { cpu: '1' } })
    assert.equal(spec.serviceAccountName, 'sa')
    assert.equal(spec.automountServiceAccountToken, true)
    assert.deepEqual(spec.nodeSelector, { disk: 'ssd' })
    assert.deepEqual(spec.tolerations, [{ key: 'k', operator: 'Exists' }])
    assert.equal(spec.activeDeadlineSeconds, 2)
    assert.equal(metadata.labels?.['a'], 'b')
    assert.equal(metadata.annotations?.['c'], 'd')
    // Ours come last.
    assert.equal(metadata.labels?.['kuberun/run'], run.runId)
    assert.equal(metadata.annotations?.['kuberun/rm'], 'always')
  })
})

suite('overrides', () => {
  const ours = { name: containerName, image: 'mine', command: ['sleep'], args: ['1'] }

  test('change what they may and put back what a run needs', () => {
    const { metadata, spec, apiVersion, kind } = overridden({
      apiVersion: 'v2',
      kind: 'Other',
      metadata: {
        name: 'other',
        namespace: 'elsewhere',
        labels: { 'app.kubernetes.io/managed-by': 'me', x: 'y' },
        annotations: { 'kuberun/owner': 'me', z: 'w' },
      },
      spec: { restartPolicy: 'Always', hostNetwork: true, containers: [ours, { name: 'side', image: 's' }] },
    })
    assert.deepEqual([apiVersion, kind, metadata.name, metadata.namespace], ['v1', 'Pod', run.name, 'dev'])
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'kuberun')
    assert.equal(metadata.labels?.['x'], 'y')
    assert.equal(metadata.annotations?.['kuberun/owner'], run.owner)
    assert.equal(metadata.annotations?.['z'], 'w')
    assert.equal(spec.restartPolicy, 'Never')
    assert.equal(spec.hostNetwork, true)
    assert.deepEqual(spec.containers, [
      { name: containerName, image: 'mine', command: holder },
      { name: 'side', image: 's' },
    ])
  })

  test('may take everything away that is put back', () => {
    const pod = overridden({ metadata: null, spec: { containers: [{ name: containerName }], restartPolicy: null } })
    assert.equal(pod.metadata.name, run.name)
    assert.equal(pod.metadata.labels?.['kuberun/run'], run.runId)
    assert.equal(pod.spec.restartPolicy, 'Never')
    assert.equal(pod.spec.containers[0]?.image, 'alpine:3.20')
    assert.deepEqual(pod.spec.containers[0]?.command, holder)
  })

  for (const [type, patch] of [
    ['merge', { spec: { enableServiceLinks: null, activeDeadlineSeconds: null } }],
    ['strategic', { spec: { enableServiceLinks: null, activeDeadlineSeconds: null } }],
    [
      'json',
      [
        { op: 'remove', path: '/spec/enableServiceLinks' },
        { op: 'remove', path: '/spec/activeDeadlineSeconds' },
      ],
    ],
  ] as const) {
    test(`of the type ${type} may take away what a run does not need`, () => {
      const { spec } = overridden(patch, type)
      assert.deepEqual(
        ['enableServiceLinks', 'activeDeadlineSeconds'].filter((field) => field in spec),
        [],
      )
      assert.equal(spec.automountServiceAccountToken, false)
    })
  }

  test('by operations cannot rename the pod', () => {
    const pod = overridden([{ op: 'replace', path: '/metadata/name', value: 'x' }], 'json')
    assert.equal(pod.metadata.name, run.name)
  })

  for (const field of ['hostPID', 'shareProcessNamespace']) {
    test(`that set ${field} are refused`, () => {
      assert.throws(
        () => overridden({ spec: { [field]: true } }),
        (error) =>
          error instanceof UsageError && error.message === `--overrides set "${field}", which a run can't have`,
      )
      overridden({ spec: { [field]: false } })
    })
  }

  test('that leave no container of ours are refused, with the way out', () => {
    for (const containers of [[], [{ name: 'other', image: 'x' }]]) {
      assert.throws(
        () => overridden({ spec: { containers } }),
        (error) => error instanceof UsageError && /--override-type=strategic/.test(error.hint ?? ''),
      )
    }
  })

  test('by strategic merge keep our container', () => {
    const { spec } = overridden({ spec: { containers: [{ name: containerName, tty: true }] } }, 'strategic')
    assert.equal(spec.containers[0]?.tty, true)
    assert.deepEqual(spec.containers[0]?.command, holder)
  })
})

suite('the "restricted" standard', () => {
  test('takes privileges away and leaves the image’s own user', () => {
    const pod = restrict(podManifest(input()))
    assert.deepEqual(level(pod), {
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    })
    assert.deepEqual(pod.spec.securityContext, { seccompProfile: { type: 'RuntimeDefault' }, runAsNonRoot: true })
    assert.equal(uidOf(pod), undefined)
    assert.equal(pod.spec.containers[0]?.env, undefined)
  })

  test('with a uid of ours gives it a home that it may write', () => {
    const pod = restrict(podManifest(input({ env: [{ name: 'A', value: 'b' }] })), restrictedUid)
    assert.equal(uidOf(pod), restrictedUid)
    assert.deepEqual(pod.spec.containers[0]?.env, [
      { name: 'A', value: 'b' },
      { name: 'HOME', value: '/tmp' },
    ])
  })

  test('keeps what the overrides chose', () => {
    const securityContext = {
      runAsUser: 1234,
      fsGroup: 5,
      seccompProfile: { type: 'Localhost', localhostProfile: 'p' },
    }
    const pod = restrict(
      podManifest(
        input({ overrides: JSON.stringify({ spec: { securityContext } }), env: [{ name: 'HOME', value: '/h' }] }),
      ),
      restrictedUid,
    )
    assert.deepEqual(pod.spec.securityContext, { ...securityContext, runAsNonRoot: true })
    assert.equal(uidOf(pod), 1234)
    assert.deepEqual(pod.spec.containers[0]?.env, [{ name: 'HOME', value: '/h' }])
  })

  test('holds for the tools as well, and changes no manifest that it is given', () => {
    const plain = withTools(podManifest(input()), { image: 't', orphanTimeout: 60_000 })
    const before = structuredClone(plain)
    const pod = restrict(plain, restrictedUid)
    assert.deepEqual(pod.spec.initContainers?.[0]?.securityContext, level(pod))
    assert.deepEqual(plain, before)
  })
})

suite('the tools', () => {
  test('come by an init container that asks for what ours asks for', () => {
    const options = { limits: { memory: '1Gi' }, workdir: '/w' }
    const pod = withTools(podManifest(input(options)), { image: 'tools:1', orphanTimeout: 60_000 })
    const [init] = pod.spec.initContainers ?? []
    const [container] = pod.spec.containers
    assert.equal(init?.image, 'tools:1')
    assert.deepEqual(init?.resources, { limits: { memory: '1Gi' } })
    assert.deepEqual(init?.volumeMounts, container?.volumeMounts)
    assert.deepEqual(pod.spec.volumes, [{ name: 'kuberun-tools', emptyDir: {} }])
    assert.deepEqual(container?.command, holderCommand(toolsShell, 60_000))
    assert.equal(container?.image, 'alpine:3.20')
  })

  test('keep what is there, and go first', () => {
    const overrides = JSON.stringify({
      spec: { initContainers: [{ name: 'own', image: 'o' }], volumes: [{ name: 'v', emptyDir: {} }] },
    })
    const pod = withTools(podManifest(input({ overrides })), { image: 't', orphanTimeout: 60_000 })
    assert.deepEqual(
      pod.spec.initContainers?.map(({ name }) => name),
      ['kuberun-tools', 'own'],
    )
    assert.deepEqual(
      pod.spec.volumes?.map(({ name }) => name),
      ['v', 'kuberun-tools'],
    )
  })

  test('copy the uid of a restricted run', () => {
    const overrides = { spec: { containers: [{ name: containerName, securityContext: { runAsUser: 7 } }] } }
    const plain = podManifest(input({ overrides: JSON.stringify(overrides), overrideType: 'strategic' }))
    const pod = withTools(plain, { image: 't', orphanTimeout: 60_000 })
    assert.deepEqual(pod.spec.initContainers?.[0]?.securityContext, { runAsUser: 7 })
  })
})
