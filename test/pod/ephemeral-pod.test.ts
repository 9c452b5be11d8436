import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { kubeconfigText, temporaryFolder } from '../support/kube-home.ts'
import { refusal } from '../support/kube-server.ts'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 40 }
const noDelete = refusal(403, 'Forbidden', 'pods "x" is forbidden: User "me" cannot delete resource "pods"')

suite('what was made', together, () => {
  test('is deleted though a create that was sent again was refused', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.life = () => {}
    server.answers['create pod'] = [
      (_seen, response, request, usual) => {
        response.end = () => response
        usual()
        request.socket.resetAndDestroy()
      },
      // The first one has used up the quota.
      refusal(403, 'Forbidden', 'pods "x" is forbidden: failed quota: q: must specify limits.memory'),
    ]
    const { error } = await runOn(server, ['true'])
    assert.ok(error instanceof KuberunError)
    assert.deepEqual(server.left, [])
  })

  test('goes one after the other: the pod, then its guard', bounded, async () => {
    await using server = await ScriptedServer.start()
    const order: string[] = []
    server.answers['delete pod'] = async (_seen, _response, _request, usual) => {
      // Long enough for one that was sent beside it.
      for (let turn = 0; turn < 1_000; turn++) await new Promise(setImmediate)
      order.push('pod')
      usual()
    }
    server.answers['delete job'] = (_seen, _response, _request, usual) => {
      order.push('job')
      usual()
    }
    await runOn(server, ['true'])
    assert.deepEqual(order, ['pod', 'job'])
  })

  test('does not need a second error for a pod that was refused and may not be deleted', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.answers['create pod'] = refusal(403, 'Forbidden', 'pods is forbidden: User "me" cannot create resource')
    server.answers['delete pod'] = noDelete
    const { error, stderr } = await runOn(server, ['true'])
    assert.ok(error instanceof KuberunError)
    assert.equal(stderr, '')
  })

  test('is named where it cannot be removed: the Job of a kept pod', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.answers['delete job'] = refusal(403, 'Forbidden', 'jobs.batch is forbidden')
    const { result, stderr } = await runOn(server, ['exit 3'], { rm: 'on-success' })
    assert.deepEqual(result, { exitCode: 3 })
    const [job] = server.jobs.keys()
    const words = `warning: job "${job}" may be left behind, and its end is that of the pod: `
    assert.ok(stderr.includes(words), stderr)
    assert.ok(stderr.includes(`kubectl delete job -n dev --cascade=orphan ${job}\n`), stderr)
    assert.doesNotMatch(stderr, /pod "[^"]+" may be left behind/)
  })
})

test('where no server is, no pod is looked for', bounded, async () => {
  await using folder = await temporaryFolder()
  const kubeconfig = await folder.file('config', kubeconfigText({ server: 'https://127.0.0.1:1' }))
  const { error, stderr } = await runOn({ kubeconfig }, ['true'])
  assert.match(
    (error as Error).message,
    /^cannot reach the API server at "https:\/\/127\.0\.0\.1:1": connection refused$/,
  )
  assert.equal(stderr, '')
})

suite('another uid', together, () => {
  test('that no namespace asked for is told, and is not laid to it', bounded, async () => {
    await using server = await ScriptedServer.start()
    const usual = server.life
    server.life = (pod) => {
      if (pod.name.endsWith('-uid')) {
        usual(pod)
        return
      }
      pod.schedule()
      pod.state({
        waiting: {
          reason: 'CreateContainerConfigError',
          message: 'container has runAsNonRoot and image will run as root (pod: "x", container: kuberun)',
        },
      })
    }
    const overrides = '{"spec":{"securityContext":{"runAsNonRoot":true}}}'
    const { result, stderr } = await runOn(server, ['true'], { pod: { overrides } })
    assert.deepEqual(result, { exitCode: 0 })
    assert.match(
      stderr,
      /^warning: the image would run as root, .* the command runs as uid 65532, without privileges$/m,
    )
    assert.doesNotMatch(stderr, /namespace/)
  })
})
