import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { needsCluster } from './support/ground.ts'
import { has, images } from './support/images.ts'
import { places } from './support/place.ts'
import { expect, expectError } from './support/programs.ts'

const { here } = await places({ here: {} })

describe('a pod that cannot start', { concurrency: 4, timeout: 180_000 }, () => {
  test('an image that does not exist', async () => {
    expectError(await here.sh('kubectl kuberun --image missing:1 true'), /"missing:1" cannot be pulled/, {
      within: 30_000,
    })
  })

  test('a name that no image can have', async () => {
    expectError(await here.sh('kubectl kuberun --image UPPER/Case:: true'), /"UPPER\/Case::"/, { within: 20_000 })
  })

  test('an image that is not on the node, with the pull policy Never', async () => {
    const ended = await here.sh('kubectl kuberun --image missing:2 --image-pull-policy=Never true')
    expectError(ended, /"missing:2" is not on the node/, { within: 20_000 })
  })

  test('a node selector that fits no node: told at once, and the end after --pod-running-timeout', async () => {
    const run = here.start('exec kubectl kuberun --node-selector no=where --pod-running-timeout 10s true')
    const begin = performance.now()
    const shown = Promise.withResolvers<number>()
    const timer = setInterval(() => {
      if (/warning: .*cannot be scheduled/.test(run.stderr())) shown.resolve(performance.now() - begin)
    }, 50)
    const ended = await run.ended
    clearInterval(timer)
    shown.resolve(Infinity)
    expectError(ended, /did not start within 10 s: .*cannot be scheduled/)
    assert.ok((await shown.promise) < 6_000, ended.stderr)
    assert.ok(ended.milliseconds > 9_000 && ended.milliseconds < 16_000, `took ${ended.milliseconds} ms`)
  })

  test('a Secret that is missing', async () => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'nosuch-secret', key: 'k' } } }]
    const patch = JSON.stringify({ spec: { containers: [{ name: 'kuberun', env }] } })
    const ended = await here.sh(`kubectl kuberun --override-type strategic --overrides '${patch}' true`)
    expectError(ended, /secret "nosuch-secret" not found/, { within: 20_000 })
  })

  test('a key that the Secret does not have', { skip: needsCluster('Secrets') }, async () => {
    expect(await here.sh('kubectl create secret generic some --from-literal a=b'), { code: 0 })
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'some', key: 'nosuch-key' } } }]
    const patch = JSON.stringify({ spec: { containers: [{ name: 'kuberun', env }] } })
    const ended = await here.sh(`kubectl kuberun --override-type strategic --overrides '${patch}' true`)
    expectError(ended, /nosuch-key/, { within: 20_000 })
  })

  test('a volume that is missing', async () => {
    const volumes = [{ name: 'v', configMap: { name: 'nosuch-map' } }]
    const containers = [{ name: 'kuberun', volumeMounts: [{ name: 'v', mountPath: '/v' }] }]
    const patch = JSON.stringify({ spec: { volumes, containers } })
    const ended = await here.sh(
      `kuberun --pod-running-timeout 25s --override-type strategic --overrides '${patch}' true`,
    )
    expectError(ended, /"nosuch-map" not found/, { within: 20_000 })
  })

  test('a working directory that cannot be', async () => {
    expectError(await here.sh('kuberun --workdir /etc/passwd pwd'), /\/etc\/passwd|directory/, { within: 20_000 })
  })

  test('an init container that fails', async () => {
    const initContainers = [{ name: 'first', image: 'alpine:3.20', command: ['sh', '-c', 'exit 3'] }]
    const ended = await here.sh(`kuberun --overrides '${JSON.stringify({ spec: { initContainers } })}' true`)
    expectError(ended, /"first".*3/, { within: 20_000 })
  })

  test('an image without a shell, with --tools=never', async (t) => {
    if (!(await has(t, here, images.static))) return
    const ended = await here.sh(`kuberun --tools=never --image ${images.static} -- /app x`)
    expectError(ended, /no shell/, { within: 20_000 })
  })

  test('a deadline that passes before the pod is there', async () => {
    const ended = await here.sh('kuberun --node-selector no=where --deadline 3s --pod-running-timeout 20s true')
    expectError(ended, /./, { within: 30_000 })
  })
})
