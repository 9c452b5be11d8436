import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { suite, test } from 'node:test'
import type { V1Pod } from '@kubernetes/client-node'
import { KuberunError } from '../../src/errors.ts'
import { runAnnotations, runMetadata } from '../../src/pod/labels.ts'
import { newRun, type RunIdentity } from '../../src/pod/name.ts'
import { plain, refusal } from '../support/kube-server.ts'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
const together = { concurrency: 40 }

suite('what is left behind', together, () => {
  suite('the guard Job', together, () => {
    test('owns the pod, starts none, and is made before it', bounded, async () => {
      await using server = await ScriptedServer.start()
      await runOn(server, ['true'])
      const [first, second] = server.calls
      assert.deepEqual([first?.route, second?.route], ['create job', 'create pod'])
      const job = JSON.parse(first?.body ?? '')
      const pod = JSON.parse(second?.body ?? '')
      assert.equal(job.spec.parallelism, 0)
      assert.equal(job.spec.ttlSecondsAfterFinished, 0)
      assert.equal(job.spec.activeDeadlineSeconds, 75)
      assert.deepEqual(
        pod.metadata.ownerReferences.map(({ kind, name }: { kind: string; name: string }) => [kind, name]),
        [['Job', job.metadata.name]],
      )
    })

    for (const [name, answer] of [
      ['forbidden', refusal(403, 'Forbidden', 'jobs.batch is forbidden')],
      ['over quota', refusal(403, 'Forbidden', 'exceeded quota')],
      ['unknown to the server', plain(404, '404 page not found')],
    ] as const) {
      test(`that is ${name} leaves the pod without an owner, and the run well`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['create job'] = answer
        const { result, stderr } = await runOn(server, ['exit 2'])
        assert.deepEqual(result, { exitCode: 2 })
        assert.equal(stderr, '')
        assert.equal(JSON.parse(server.of('create pod')[0]?.body ?? '').metadata.ownerReferences, undefined)
        assert.deepEqual(server.left, [])
      })
    }

    test('gets its deadline prolonged while the run lasts', bounded, async () => {
      await using server = await ScriptedServer.start()
      await runOn(server, ['sleep 2.8'], { pod: { orphanTimeout: 5_000 } })
      const deadlines = server.of('patch job').map(({ body }) => JSON.parse(body).spec.activeDeadlineSeconds as number)
      assert.ok(deadlines.length >= 2, String(deadlines))
      assert.deepEqual(
        deadlines,
        deadlines.toSorted((a, b) => a - b),
      )
      assert.ok((deadlines[0] ?? 0) > 20)
    })

    test('that may not be prolonged is taken away, the pod stays', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['patch job'] = refusal(403, 'Forbidden', 'jobs.batch is forbidden')
      const { result, stdout, stderr } = await runOn(server, ['sleep 2; echo fine'], { pod: { orphanTimeout: 5_000 } })
      assert.deepEqual(result, { exitCode: 0 })
      assert.equal(stdout.toString(), 'fine\n')
      assert.equal(stderr, '')
      assert.equal(server.of('delete job')[0]?.query.get('propagationPolicy'), 'Orphan')
      assert.deepEqual(server.left, [])
    })

    test('that may not be deleted is no reason for a warning', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['delete job'] = refusal(403, 'Forbidden', 'jobs.batch is forbidden')
      const { result, stderr } = await runOn(server, ['true'])
      assert.deepEqual(result, { exitCode: 0 })
      assert.equal(stderr, '')
    })
  })

  suite('beats', together, () => {
    test('keep the holder from ending the command', bounded, async () => {
      await using server = await ScriptedServer.start()
      const { result, stdout } = await runOn(server, ['sleep 6.5; echo fine'], { pod: { orphanTimeout: 5_000 } })
      assert.deepEqual(result, { exitCode: 0 })
      assert.equal(stdout.toString(), 'fine\n')
      assert.equal(server.execs.filter(({ kind }) => kind === 'control').length, 1)
    })

    test('that get nowhere for the orphan time end the run as lost', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.exec = (attempt) => (attempt.kind === 'control' ? attempt.refuse('403 Forbidden', '') : attempt.run())
      const { error, result } = await runOn(server, ['sleep 1000'], { pod: { orphanTimeout: 5_000 } })
      assert.equal(result, undefined)
      assert.ok(error instanceof KuberunError)
      assert.deepEqual(server.left, [])
    })
  })

  suite('the end of a run', together, () => {
    for (const [name, answer] of [
      ['forbidden', refusal(403, 'Forbidden', 'pods "x" is forbidden: User "me" cannot delete resource "pods"')],
      ['answered with 500', refusal(500, 'InternalError', 'etcd is away')],
      ['refused by a webhook', refusal(400, 'BadRequest', 'admission webhook "w" denied the request')],
    ] as const) {
      test(`with a delete that is ${name} names the pod in a warning and keeps the exit code`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['delete pod'] = answer
        const { result, stderr } = await runOn(server, ['exit 3'])
        assert.deepEqual(result, { exitCode: 3 })
        const [pod] = server.pods.all.keys()
        const words = `warning: pod "${pod}" may be left behind: `
        assert.ok(stderr.startsWith(words), stderr)
        assert.ok(stderr.endsWith(`; remove it with: kubectl delete pod -n dev ${pod}\n`), stderr)
      })
    }

    test('with a pod that is gone already is fine', bounded, async () => {
      await using server = await ScriptedServer.start()
      server.answers['delete pod'] = refusal(404, 'NotFound', 'pods "x" not found')
      const { result, stderr } = await runOn(server, ['exit 3'])
      assert.deepEqual(result, { exitCode: 3 })
      assert.equal(stderr, '')
    })

    test('asks for one second of grace, and for our pod only', bounded, async () => {
      await using server = await ScriptedServer.start()
      let uid: string | undefined
      const usual = server.life
      server.life = (pod) => {
        uid = pod.object.metadata.uid
        return usual(pod)
      }
      await runOn(server, ['true'])
      assert.deepEqual(JSON.parse(server.of('delete pod')[0]?.body ?? ''), {
        gracePeriodSeconds: 1,
        preconditions: { uid },
      })
    })

    for (const code of ['EPIPE', 'ENOSPC'] as const) {
      for (const [when, command] of [
        ['in the middle', 'yes'],
        ['at the end', 'echo short'],
      ] as const) {
        test(`is our error when stdout fails ${when} with ${code}`, bounded, async () => {
          await using server = await ScriptedServer.start()
          const output = new Writable({
            write: (chunk: Buffer, _encoding, done) =>
              done(chunk.length === 0 ? null : Object.assign(new Error(`${code}: no`), { code })),
          })
          const { error, result } = await runOn(server, [command], { output })
          assert.equal(result, undefined)
          assert.ok(error instanceof KuberunError)
          assert.equal(error.code, 'stdio')
          assert.match(error.message, code === 'EPIPE' ? /^stdout was closed by its reader/ : /^cannot write stdout: /)
          assert.deepEqual(server.left, [])
          assert.equal(output.listenerCount('error'), 0)
        })
      }
    }

    test('is handled as one when stdout fails and the stream is lost', bounded, async () => {
      await using server = await ScriptedServer.start()
      const output = new Writable({
        write: (_chunk: Buffer, _encoding, done) => {
          setImmediate(done, Object.assign(new Error('ENOSPC: no'), { code: 'ENOSPC' }))
        },
      })
      server.exec = async (attempt) => {
        const stream = await attempt.accept()
        await stream.send(1, Buffer.concat([attempt.markOf('+'), Buffer.from('some')]))
        stream.reset()
      }
      // A rejection that nobody handles would fail this test.
      const { error } = await runOn(server, ['true'], { output })
      assert.ok(error instanceof KuberunError)
      assert.deepEqual(server.left, [])
    })

    test('leaves no listeners on our streams', bounded, async () => {
      await using server = await ScriptedServer.start()
      const [input, output] = [new PassThrough(), new PassThrough().resume()]
      const before = [input, output].map((stream) => stream.eventNames().map((name) => stream.listenerCount(name)))
      await runOn(server, ['echo x'], { input, output })
      assert.deepEqual(
        [input, output].map((stream) => stream.eventNames().map((name) => stream.listenerCount(name))),
        before,
      )
      assert.equal(output.writableEnded, false)
      assert.equal(input.destroyed, false)
    })
  })

  suite('the sweep of earlier runs', together, () => {
    const past = new Date(0)
    const future = new Date(2 ** 42)

    function pod(
      run: RunIdentity,
      name: string,
      about: { phase: string; rm?: string; startBy?: Date; owner?: string },
    ): V1Pod {
      const { phase, rm = 'always', startBy = past, owner = run.owner } = about
      const other = { ...run, owner }
      return {
        metadata: {
          name,
          creationTimestamp: past,
          ...runMetadata(other),
          annotations: runAnnotations(other, { command: 'kuberun', startBy, rm }),
        },
        spec: { containers: [] },
        status: { phase },
      }
    }

    test('deletes what has expired and nothing else', bounded, async () => {
      await using server = await ScriptedServer.start()
      // Of a machine where nobody can ask whether the client lives.
      const run = { ...newRun('kuberun'), client: '' }
      const others: [string, Parameters<typeof pod>[2]][] = [
        ['succeeded', { phase: 'Succeeded' }],
        ['failed', { phase: 'Failed' }],
        ['pending-late', { phase: 'Pending' }],
        ['pending', { phase: 'Pending', startBy: future }],
        ['running', { phase: 'Running' }],
        ['kept', { phase: 'Succeeded', rm: 'never' }],
        ['kept-on-failure', { phase: 'Failed', rm: 'on-success' }],
        ['of-another-owner', { phase: 'Failed', owner: 'somebody@elsewhere' }],
      ]
      for (const [name, about] of others) server.pods.add(pod(run, name, about))
      server.pods.add(pod(newRun('kuberun'), 'failed-with-a-client', { phase: 'Failed' }))
      server.pods.add({ metadata: { name: 'no-run' }, spec: { containers: [] }, status: { phase: 'Failed' } })
      const { result } = await runOn(server, ['true'])
      assert.deepEqual(result, { exitCode: 0 })
      const deleted = server.of('delete pod').map(({ name }) => name)
      assert.deepEqual(deleted.filter((name) => !name.startsWith('kuberun-')).toSorted(), [
        'failed',
        'pending-late',
        'succeeded',
      ])
      for (const { body } of server.of('delete pod')) assert.ok(JSON.parse(body).preconditions.uid)
    })

    for (const [name, answer] of [
      ['is forbidden', refusal(403, 'Forbidden', 'pods is forbidden')],
      ['is answered with garbage', plain(200, 'x')],
      ['is never answered', () => {}],
    ] as const) {
      test(`that ${name} is nobody's concern`, bounded, async () => {
        await using server = await ScriptedServer.start()
        server.answers['list pods'] = answer
        const { result, stderr } = await runOn(server, ['exit 3'])
        assert.deepEqual(result, { exitCode: 3 })
        assert.equal(stderr, '')
        assert.deepEqual(server.left, [])
      })
    }
  })

  test('a kept pod that cannot be told so keeps the exit code', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = (attempt) => (attempt.kind === 'control' ? attempt.refuse('403 Forbidden', '') : attempt.run())
    const { error, result, stderr } = await runOn(server, ['exit 3'], { rm: 'never' })
    assert.equal(error, undefined)
    assert.deepEqual(result, { exitCode: 3 })
    assert.match(stderr, /^kuberun: pod "kuberun-\w+" is kept/)
  })
})
