import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { places } from './support/place.ts'
import { expect, expectError, onSandbox } from './support/programs.ts'

const { quota } = await places({
  quota: {
    manifests: [
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'two-pods' },
        spec: { hard: { pods: '2', 'limits.memory': '1Gi' } },
      },
    ],
  },
})

/** Makes a pod that is not ours, and counts against a quota. */
function foreignPod(name: string): string {
  const container = {
    name,
    image: 'alpine:3.20',
    command: ['sleep', '1000'],
    resources: { limits: { memory: '16Mi' } },
  }
  const overrides = JSON.stringify({ spec: { containers: [container], terminationGracePeriodSeconds: 0 } })
  return `kubectl run ${name} --image alpine:3.20 --restart=Never --overrides '${overrides}'`
}

describe('a namespace with a quota', { timeout: 180_000 }, () => {
  test('a limit is demanded and none is given', async () => {
    expectError(await quota.sh('kubectl kuberun true'), /limits\.memory[^]*--limits/, { within: 10_000 })
  })

  test('more than there is', async () => {
    const ended = await quota.sh('kubectl kuberun --limits memory=2Gi true')
    expectError(ended, /exceeded quota/, { within: 10_000 })
  })

  test('two pods of somebody else take all of it', async () => {
    expect(await quota.sh(`${foreignPod('one')} && ${foreignPod('two')}`), { code: 0 })
    try {
      expectError(await quota.sh('kubectl kuberun --limits memory=16Mi true'), /exceeded quota/, { within: 20_000 })
    } finally {
      expect(await quota.sh('kubectl delete pod one two --now'), { code: 0 })
    }
  })

  test('many runs one after the other', async () => {
    const times = onSandbox ? 4 : 20
    const ended = await quota.sh(`for i in $(seq ${times}); do kuberun --limits memory=32Mi echo $i || exit; done`, {
      timeout: 120_000,
    })
    expect(ended, { code: 0, stdout: Array.from({ length: times }, (_, n) => `${n + 1}\n`).join(''), stderr: '' })
  })

  test('six at once share what there is', async () => {
    const ended = await quota.sh('seq 6 | xargs -P6 -I{} kuberun --limits memory=32Mi echo {} | sort', {
      timeout: 60_000,
    })
    // Whoever finds no room while none of ours is ending has to say so; nobody may hang or lie.
    expect(ended, { code: [0, 123] })
    if (ended.code === 123) assert.match(ended.stderr, /exceeded quota/)
  })
})
