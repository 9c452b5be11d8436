import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { ApiError, KuberunError } from '../../src/errors.ts'
import { json, plain, refusal, reset } from '../support/kube-server.ts'
import type { LivingPod } from '../support/scripted-pods.ts'
import { collector, type Ran, runOn } from '../support/scripted-run.ts'
import { type ScriptedAnswer, ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 40 }

function failed({ error, result }: Ran, code: string, message: RegExp): KuberunError {
  assert.equal(result, undefined)
  assert.ok(error instanceof KuberunError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  return error
}

/** Runs a command that says "begun", and then meets its pod with this. */
async function during(meet: (pod: LivingPod) => unknown, command = 'echo begun; sleep 1000'): Promise<Ran> {
  await using server = await ScriptedServer.start()
  const stdout = collector()
  const output = new PassThrough()
  output.pipe(stdout)
  output.once('data', () => {
    const [pod] = server.pods.all.values()
    if (pod !== undefined) void meet(pod)
  })
  const ran = await runOn(server, [command], { output })
  assert.deepEqual(server.left, [])
  return { ...ran, stdout: stdout.data() }
}

const waiting =
  (reason: string, message = '') =>
  (pod: LivingPod): void => {
    pod.schedule()
    pod.state({ waiting: { reason, message } })
  }

suite('a pod that fails', together, () => {
  suite('a pod that is refused', together, () => {
    const rows: [string, ScriptedAnswer, RegExp, RegExp | undefined][] = [
      [
        'by RBAC',
        refusal(403, 'Forbidden', 'pods is forbidden: User "me" cannot create resource "pods" in API group ""'),
        /^cannot create the pod: pods is forbidden/,
        /a Role with these rules/,
      ],
      [
        'by a quota that wants limits',
        refusal(403, 'Forbidden', 'pods "x" is forbidden: failed quota: q: must specify limits.memory for: kuberun'),
        /must specify limits\.memory/,
        /--limits=memory/,
      ],
      [
        'by a missing namespace',
        refusal(404, 'NotFound', 'namespaces "dev" not found'),
        /"dev" not found/,
        /kubectl create namespace dev/,
      ],
      ['with text', plain(403, 'go away'), /the server answered 403 Forbidden: go away/, /not of Kubernetes/],
      ['with nothing', plain(500, ''), /the server answered 500 Internal Server Error$/, undefined],
      [
        'with 10 MiB',
        plain(400, 'x'.repeat(10 * 1024 * 1024)),
        /the server answered 400 Bad Request: x{300}$/,
        undefined,
      ],
      ['with a redirect', plain(307, '', { Location: 'https://elsewhere/' }), /redirect .*elsewhere/, undefined],
      ['as invalid', refusal(422, 'Invalid', 'Pod "x" is invalid: spec.x: Required value'), /is invalid/, undefined],
    ]
    for (const [name, answer, message, hint] of rows) {
      test(name, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['create pod'] = answer
        const error = failed(await runOn(server, ['true']), 'api', message)
        if (hint !== undefined) assert.match(error.hint ?? '', hint)
        assert.deepEqual(server.left, [])
      })
    }

    test('with what is no JSON', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['create pod'] = plain(201, '<html>')
      failed(await runOn(server, ['true']), 'connection', /something other than JSON/)
      assert.deepEqual(server.left, [])
    })

    test('by silence: it is deleted all the same, whatever became of it', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['create pod'] = (_seen, response, _request, usual) => {
        response.writeHead = () => response
        response.end = () => response
        usual()
      }
      failed(await runOn(server, ['true'], { requestTimeout: 2_000 }), 'connection', /no answer within 2 s/)
      assert.deepEqual(server.left, [])
    })
  })

  suite('a pod that is made on another try', together, () => {
    for (const [name, answer] of [
      ['429 in plain text', plain(429, 'slow down', { 'Retry-After': '0' })],
      ['503', refusal(503, 'ServiceUnavailable', 'shutting down')],
      ['a reset', reset],
    ] as const) {
      test(`after ${name}`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['create pod'] = [answer, answer]
        assert.deepEqual((await runOn(server, ['true'])).result, { exitCode: 0 })
        assert.equal(server.of('create pod').length, 3)
        assert.deepEqual(server.left, [])
      })
    }

    test('after a lost answer: the pod of that name is ours', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['create pod'] = [
        (_seen, response, request, usual) => {
          response.end = () => response
          usual()
          request.socket.resetAndDestroy()
        },
      ]
      const { result } = await runOn(server, ['exit 4'])
      assert.deepEqual(result, { exitCode: 4 })
      assert.equal(server.of('create pod').length, 2)
      assert.equal(server.of('get pod').length, 1)
      assert.deepEqual(server.left, [])
    })

    test('after earlier runs have given back their quota', bounded, async () => {
      await using server = await ScriptedServer.start()
      const quota = refusal(
        403,
        'Forbidden',
        'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5',
      )
      server.answers['create pod'] = [quota, quota]
      const ending = { metadata: { name: 'other', deletionTimestamp: '2030-01-01T00:00:00Z' } }
      server.answers['list pods'] = [json(200, { items: [ending] }), json(200, { items: [ending] })]
      assert.deepEqual((await runOn(server, ['true'])).result, { exitCode: 0 })
      assert.equal(server.of('create pod').length, 3)
    })

    test('no quota and nothing that would give some back is told soon', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['create pod'] = refusal(
        403,
        'Forbidden',
        'pods "x" is forbidden: exceeded quota: q, requested: pods=1',
      )
      const error = failed(await runOn(server, ['true']), 'api', /exceeded quota/)
      assert.match(error.hint ?? '', /ask for a larger quota/)
    })

    test('under the "restricted" Pod Security Standard, with a warning', bounded, async () => {
      await using server = await ScriptedServer.start()
      const message =
        'pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
      server.answers['create pod'] = [refusal(403, 'Forbidden', message)]
      const { result, stderr } = await runOn(server, ['true'])
      assert.deepEqual(result, { exitCode: 0 })
      assert.match(
        stderr,
        /^warning: namespace "dev" demands the "restricted" .* the command runs as the image's own user/,
      )
      const sent = JSON.parse(server.of('create pod')[1]?.body ?? '')
      assert.equal(sent.spec.securityContext.runAsNonRoot, true)
      assert.equal(sent.spec.securityContext.runAsUser, undefined)
      assert.deepEqual(sent.spec.containers[0].securityContext.capabilities, { drop: ['ALL'] })
      assert.deepEqual(server.left, [])
    })

    test('with another uid, where the image would run as root', bounded, async () => {
      await using server = await ScriptedServer.start()
      const message = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
      server.answers['create pod'] = [refusal(403, 'Forbidden', message)]
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
      const { result, stderr } = await runOn(server, ['true'])
      assert.deepEqual(result, { exitCode: 0 })
      assert.match(stderr, /the command runs as uid 65532, without privileges/)
      assert.equal(server.of('create pod').length, 2 + 1)
      assert.equal(server.of('delete pod').length, 2)
      assert.deepEqual(server.left, [])
    })

    const noShell =
      'failed to create containerd task: runc create failed: exec: "sh": executable file not found in $PATH: unknown'
    const distroless = (pod: LivingPod): void => {
      pod.schedule()
      pod.state({ terminated: { exitCode: 128, reason: 'StartError', message: noShell } })
    }

    test('with a shell of ours, where the image has none', bounded, async () => {
      await using server = await ScriptedServer.start()
      const watched: string[] = []
      server.life = (pod) => {
        watched.push(pod.name)
        if (!pod.name.endsWith('-tools')) return distroless(pod)
        pod.schedule()
        // As the init container would: the tools' own shell can not be there.
        pod.state({ waiting: { reason: 'ErrImageNeverPull' } })
      }
      failed(await runOn(server, ['true']), 'pod', /is not on the node/)
      const sent = JSON.parse(server.of('create pod')[1]?.body ?? '')
      assert.equal(sent.spec.initContainers[0].name, 'kuberun-tools')
      assert.equal(sent.spec.containers[0].command[0], '/.kuberun/busybox')
      assert.equal(watched.length, 2)
      assert.equal(server.of('delete pod').length, 2)
      assert.deepEqual(server.left, [])
    })

    test('not at all with --tools=never, where the image has no shell', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.life = distroless
      const error = failed(await runOn(server, ['true'], { pod: { tools: 'never' } }), 'pod', /its image has no shell/)
      assert.match(error.hint ?? '', /--tools=auto/)
      assert.equal(server.of('create pod').length, 1)
      assert.deepEqual(server.left, [])
    })
  })

  suite('a pod that does not start', together, () => {
    const notFound = 'failed to pull and unpack image "docker.io/library/nope:1": not found'
    const rows: [string, (pod: LivingPod) => void, RegExp][] = [
      [
        'an image that does not exist',
        waiting('ErrImagePull', notFound),
        /image "alpine:3\.20" cannot be pulled: not found/,
      ],
      [
        'an image that does not exist, later',
        waiting('ImagePullBackOff', `Back-off pulling image: ${notFound}`),
        /not found/,
      ],
      [
        'a name that is none',
        waiting('InvalidImageName', 'invalid reference format'),
        /the image name .* is not valid/,
      ],
      [
        'a missing Secret',
        waiting('CreateContainerConfigError', 'secret "s" not found'),
        /cannot start: secret "s" not found/,
      ],
      [
        'an eviction',
        (pod) =>
          pod.update(({ status }) =>
            Object.assign(status, {
              phase: 'Failed',
              reason: 'Evicted',
              message: 'The node was low on resource: memory.',
            }),
          ),
        /did not start: it was evicted: The node was low/,
      ],
      [
        'a deadline',
        (pod) => pod.update(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'DeadlineExceeded' })),
        /its deadline of 86400 s has passed/,
      ],
      [
        'want of memory',
        (pod) => pod.state({ terminated: { exitCode: 137, reason: 'OOMKilled' } }),
        /did not start: it ran out of memory/,
      ],
      ['a deletion', (pod) => void pod.remove(0), /it was deleted|was deleted before it started/],
    ]
    for (const [name, life, message] of rows) {
      test(`for ${name}`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.life = life
        failed(await runOn(server, ['true']), 'pod', message)
        assert.deepEqual(server.left, [])
      })
    }

    test('in time, and the scheduler has said why', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.life = (pod) =>
        pod.update(({ status }) => {
          const message = '0/1 nodes are available: 1 Insufficient memory.'
          status.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
        })
      const ran = await runOn(server, ['true'], { podRunningTimeout: 2_000 })
      failed(ran, 'pod', /did not start within 2 s: it cannot be scheduled: 0\/1 nodes are available/)
      assert.match(ran.stderr, /^warning: pod "kuberun-\w+" is waiting: it cannot be scheduled: 0\/1 nodes/)
      assert.deepEqual(server.left, [])
    })
  })

  suite('a pod that ends while the command runs', together, () => {
    test('by an eviction is no fault of the command', bounded, async () => {
      const ran = await during(async (pod) => {
        pod.update(({ status }) =>
          Object.assign(status, {
            phase: 'Failed',
            reason: 'Evicted',
            message: 'The node was low on resource: memory.',
          }),
        )
        await pod.container?.[Symbol.asyncDispose]()
      })
      const error = failed(ran, 'pod', /ended while the command ran: it was evicted: The node was low/)
      assert.match(error.hint ?? '', /run it again/)
      assert.equal(ran.stdout.toString(), 'begun\n')
    })

    test('by its deadline is told', bounded, async () => {
      const ran = await during(async (pod) => {
        pod.update(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'DeadlineExceeded' }))
        await pod.container?.[Symbol.asyncDispose]()
      })
      assert.match(failed(ran, 'pod', /its deadline of 86400 s has passed/).hint ?? '', /--deadline/)
    })

    test('for want of memory ends the run with 137 and a warning', bounded, async () => {
      const ran = await during(async (pod) => {
        const { container } = pod
        pod.state({ terminated: { exitCode: 137, reason: 'OOMKilled' } })
        await container?.[Symbol.asyncDispose]()
      })
      assert.equal(ran.error, undefined)
      assert.equal(ran.result?.exitCode, 137)
      assert.match(ran.stderr, /^warning: the command was killed: it ran out of memory/)
    })

    test('by somebody’s delete lets the command end in peace, and is an error', bounded, async () => {
      const trap = 'trap "echo saved; exit 5" TERM; echo begun; while :; do sleep 0.02; done'
      const ran = await during((pod) => pod.remove(30), trap)
      failed(ran, 'pod', /ended while the command ran: it was deleted; the command then ended with exit code 5$/)
      assert.equal(ran.stdout.toString(), 'begun\nsaved\n')
    })

    test('is noticed although the stream stays open', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.exec = async (attempt) => {
        if (attempt.kind !== 'command') return attempt.run()
        const stream = await attempt.accept()
        await stream.send(1, attempt.markOf('+'))
        const [pod] = server.pods.all.values()
        pod?.state({ terminated: { exitCode: 137, reason: 'Error' } })
      }
      failed(await runOn(server, ['true']), 'pod', /its container ended \(Error 137\)/)
      assert.deepEqual(server.left, [])
    })

    test('with its watch lost keeps the error of the stream', bounded, async () => {
      await using server = await ScriptedServer.start()
      let watch: (() => void) | undefined
      server.answers['watch pods'] = [
        (_seen, response, _request, usual) => {
          watch = () => response.end()
          return usual()
        },
        refusal(403, 'Forbidden', 'no more'),
      ]
      server.exec = async (attempt) => {
        if (attempt.kind !== 'command' || [...server.pods.all.values()][0]?.container === undefined)
          return attempt.run()
        const stream = await attempt.accept()
        await stream.send(1, attempt.markOf('+'))
        watch?.()
        setTimeout(() => stream.reset(), 300)
      }
      failed(await runOn(server, ['true']), 'connection', /connection to the API server lost/)
      assert.deepEqual(server.left, [])
    })
  })

  suite('a watch that ends', together, () => {
    const gone = {
      kind: 'Status',
      status: 'Failure',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version',
    }
    const endings: [string, ScriptedAnswer][] = [
      ['cleanly', plain(200, '')],
      ['by a reset', reset],
      ['by an ERROR event 410', plain(200, `${JSON.stringify({ type: 'ERROR', object: gone })}\n`)],
      ['by a 410', refusal(410, 'Expired', 'too old resource version')],
      ['in garbage', plain(200, '{"type":"MODIFIED","object":\n')],
      ['by a page', plain(200, '<html>\n')],
      ['by a 429', plain(429, 'slow down', { 'Retry-After': '0' })],
      [
        'by an ERROR event 500',
        plain(200, '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}\n'),
      ],
      ['by a 503', refusal(503, 'ServiceUnavailable', 'shutting down')],
    ]
    for (const [name, ending] of endings) {
      test(`${name} is opened again`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['watch pods'] = [ending, ending]
        const { result, error } = await runOn(server, ['exit 6'])
        assert.equal(error, undefined)
        assert.deepEqual(result, { exitCode: 6 })
        assert.ok(server.of('watch pods').length >= 2)
        assert.deepEqual(server.left, [])
      })
    }

    test('by never beginning is opened again', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['watch pods'] = [() => {}]
      const { result } = await runOn(server, ['exit 6'], { requestTimeout: 1_000 })
      assert.deepEqual(result, { exitCode: 6 })
      assert.equal(server.of('watch pods').length, 2)
      assert.deepEqual(server.left, [])
    })

    test('by a 403 tells which right is missing', bounded, async () => {
      await using server = await ScriptedServer.start()
      const message = 'pods is forbidden: User "me" cannot watch resource "pods" in API group ""'
      server.answers['watch pods'] = refusal(403, 'Forbidden', message)
      const { error } = await runOn(server, ['true'])
      assert.ok(error instanceof ApiError)
      assert.match(error.hint ?? '', /a Role with these rules/)
      assert.deepEqual(server.left, [])
    })

    test('with the pod gone meanwhile tells so', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.life = (pod) => {
        pod.schedule()
        server.pods.all.delete(pod.name)
      }
      server.answers['watch pods'] = [refusal(410, 'Expired', 'too old resource version')]
      failed(await runOn(server, ['true']), 'pod', /was deleted before it started/)
    })
  })
})
