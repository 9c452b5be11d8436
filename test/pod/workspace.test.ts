import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { podManifest } from '../../src/pod/manifest.ts'
import { newRun } from '../../src/pod/name.ts'
import { podOptions } from '../support/run-options.ts'

const ours = [
  { name: 'kuberun-sync', mountPath: '/.kuberun-sync' },
  { name: 'kuberun-sync', mountPath: '/there', subPath: 'root' },
]
const volume = { name: 'kuberun-sync', emptyDir: {} }

/** The spec of a pod with a synced folder, and its container. */
function made(pod: Parameters<typeof podOptions>[0] = {}, remoteDir: string | undefined = '/there') {
  const { spec } = podManifest({
    run: newRun('warp'),
    options: podOptions(pod),
    namespace: 'dev',
    argv: ['true'],
    startTimeout: 60_000,
    rm: 'always',
    ...(remoteDir !== '' && { remoteDir }),
  })
  return { spec, container: spec.containers.find(({ name }) => name === 'kuberun') }
}

function overridden(patch: object, overrideType: 'merge' | 'strategic' | 'json' = 'strategic') {
  return made({ overrides: JSON.stringify(patch), overrideType })
}

suite('the workspace', () => {
  test('is a volume that is mounted whole, and its root where the command begins', () => {
    const { spec, container } = made()
    assert.deepEqual(spec.volumes, [volume])
    assert.deepEqual(container?.volumeMounts, ours)
    assert.equal(container.workingDir, '/there')
  })

  test('is not there without a synced folder', () => {
    const { spec, container } = made({}, '')
    assert.equal(spec.volumes, undefined)
    assert.equal(container?.volumeMounts, undefined)
    assert.equal(container?.workingDir, undefined)
  })

  test('leaves the working directory that was asked for', () => {
    assert.equal(made({ workdir: '/there/sub' }).container?.workingDir, '/there/sub')
    const patch = { spec: { containers: [{ name: 'kuberun', workingDir: '/tmp' }] } }
    assert.equal(overridden(patch).container?.workingDir, '/tmp')
  })

  test('comes to the volumes and mounts of --overrides', () => {
    const cache = { name: 'cache', hostPath: { path: '/var/cache' } }
    const mount = { name: 'cache', mountPath: '/cache' }
    const containers = [
      { name: 'kuberun', volumeMounts: [mount] },
      { name: 'other', image: 'x' },
    ]
    const { spec, container } = overridden({ spec: { volumes: [cache], containers } })
    assert.deepEqual(spec.volumes, [cache, volume])
    assert.deepEqual(container?.volumeMounts, [mount, ...ours])
    assert.equal(spec.containers.find(({ name }) => name === 'other')?.volumeMounts, undefined)
  })

  test('is whole again where --overrides drop volumes and mounts', () => {
    const containers = [{ name: 'kuberun', image: 'x', volumeMounts: null }]
    const { spec, container } = overridden({ spec: { volumes: null, containers } }, 'merge')
    assert.deepEqual(spec.volumes, [volume])
    assert.deepEqual(container?.volumeMounts, ours)
  })

  test('is on the volume of that name which --overrides bring, such as one with a limit', () => {
    const limited = { name: 'kuberun-sync', emptyDir: { sizeLimit: '1Gi' } }
    const containers = [{ name: 'kuberun', volumeMounts: [...ours, { name: 'kuberun-sync', mountPath: '/all' }] }]
    const { spec, container } = overridden({ spec: { volumes: [limited], containers } })
    assert.deepEqual(spec.volumes, [limited])
    assert.deepEqual(container?.volumeMounts, [{ name: 'kuberun-sync', mountPath: '/all' }, ...ours])
  })
})
