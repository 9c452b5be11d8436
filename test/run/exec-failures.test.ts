import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ApiError, KuberunError } from '../../src/errors.ts'
import { type ExecAttempt, exited, failure } from '../support/scripted-exec.ts'
import { type Ran, runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 30_000 }
// Most of these wait for what the pod's watch may tell of the cause.
const together = { concurrency: 40 }

type Script = (attempt: ExecAttempt, n: number) => unknown

/** Runs `echo fine` on a server that answers the command's execs by a script. */
async function runWith(script: Script, setup: Parameters<typeof runOn>[2] = {}): Promise<Ran & { tries: number }> {
  await using server = await ScriptedServer.start()
  let tries = 0
  server.exec = (attempt) => (attempt.kind === 'command' ? script(attempt, ++tries) : attempt.run())
  const ran = await runOn(server, ['echo fine'], setup)
  assert.deepEqual(server.left, [])
  return { ...ran, tries }
}

function assertFails({ error, result }: Ran, code: string, message: RegExp): KuberunError {
  assert.equal(result, undefined)
  assert.ok(error instanceof KuberunError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  return error
}

function assertFine({ error, result, stdout }: Ran): void {
  assert.equal(error, undefined)
  assert.deepEqual(result, { exitCode: 0 })
  assert.equal(stdout.toString(), 'fine\n')
}

const json = (reason: string, message: string, code: number): string => JSON.stringify(failure(reason, message, code))
const huge = 'x'.repeat(10 * 1024 * 1024)

async function opened(attempt: ExecAttempt, output: string) {
  const stream = await attempt.accept()
  if (output !== '') await stream.send(1, Buffer.concat([attempt.markOf('+'), Buffer.from(output.slice(1))]))
  return stream
}

suite('an exec that fails', together, () => {
  suite('a handshake that is refused for good ends the run', together, () => {
    const forbidden = 'pods "x" is forbidden: User "me" cannot create resource "pods/exec" in API group ""'
    const rows: [string, string, string, RegExp, RegExp | undefined, string[]?][] = [
      ['a 403 of RBAC', '403 Forbidden', json('Forbidden', forbidden, 403), /cannot create resource/, /pods\/exec/],
      ['a 403 of a proxy', '403 Forbidden', '', /the server answered 403 Forbidden$/, /not of Kubernetes/],
      [
        'a 400',
        '400 Bad Request',
        json('BadRequest', 'container kuberun is not valid for pod x', 400),
        /not valid/,
        undefined,
      ],
      ['a 401', '401 Unauthorized', json('Unauthorized', 'Unauthorized', 401), /Unauthorized/, /log in/],
      ['a 404', '404 Not Found', json('NotFound', 'pods "x" not found', 404), /pods "x" not found/, undefined],
      [
        'a page',
        '500 Internal Server Error',
        '<html><title>Oops</title></html>',
        /500 Internal Server Error: Oops/,
        /not of Kubernetes/,
      ],
      [
        'a huge answer',
        '500 Internal Server Error',
        huge,
        /^the server answered 500 Internal Server Error: x{300}$/,
        /not of/,
      ],
      [
        'a redirect',
        '302 Found',
        '',
        /redirect \(302 Found\) to "https:\/\/elsewhere\/"/,
        /not of/,
        ['Location: https://elsewhere/'],
      ],
    ]
    for (const [name, status, body, message, hint, headers] of rows) {
      test(name, bounded, async () => {
        const ran = await runWith((attempt) => attempt.refuse(status, body, headers))
        const error = assertFails(ran, 'api', message)
        if (hint !== undefined) assert.match(error.hint ?? '', hint)
        assert.equal(ran.tries, 1)
      })
    }

    test('a refusal of the kubelet that comes inside the stream, split into single bytes', bounded, async () => {
      const message = 'Internal error occurred: exec: "sh": executable file not found in $PATH'
      const ran = await runWith(async (attempt) => {
        const stream = await attempt.accept()
        for (const byte of Buffer.from(json('InternalError', message, 500))) await stream.send(3, Buffer.of(byte))
      })
      const error = assertFails(ran, 'api', /executable file not found/)
      assert.ok(error instanceof ApiError && error.status === 500 && error.reason === 'InternalError')
    })

    for (const protocol of [null, 'channel.k8s.io', 'v3.channel.k8s.io']) {
      test(`a 101 with ${protocol === null ? 'no subprotocol' : `the subprotocol ${protocol}`}`, bounded, async () => {
        const ran = await runWith((attempt) => attempt.accept(protocol))
        const error = assertFails(ran, 'stream', /subprotocol/)
        assert.match(error.hint ?? '', /a proxy in front of the API server/)
      })
    }

    test('no answer within --request-timeout', bounded, async () => {
      const ran = await runWith(() => {}, { requestTimeout: 2_000 })
      assertFails(ran, 'connection', /no answer within 2 s/)
    })

    test('a shell that cannot write its marks', bounded, async () => {
      const ran = await runWith(async (attempt) => {
        const stream = await attempt.accept()
        await stream.send(2, 'kuberun: cannot write /dev/shm, or this run was started before\n')
        await stream.end(exited(125))
      })
      assertFails(
        ran,
        'api',
        /^the command was not started: .* exit code 125: kuberun: cannot write \/dev\/shm, or .* before$/,
      )
    })
  })

  suite('a handshake that another try may mend is tried again', together, () => {
    const rows: [string, (attempt: ExecAttempt) => unknown][] = [
      ['container not found', (attempt) => attempt.notFound()],
      [
        'pod does not exist',
        async (attempt) => (await attempt.accept()).end(failure('NotFound', 'pod does not exist', 404)),
      ],
      ['429 in plain text', (attempt) => attempt.refuse('429 Too Many Requests', 'slow down', ['Retry-After: 1'])],
      ['502', (attempt) => attempt.refuse('502 Bad Gateway', '<html>')],
      ['503', (attempt) => attempt.refuse('503 Service Unavailable', '')],
      ['504', (attempt) => attempt.refuse('504 Gateway Timeout', '')],
      [
        'a kubelet that is away',
        (attempt) =>
          attempt.refuse(
            '500 Internal Server Error',
            json('InternalError', 'error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused', 500),
          ),
      ],
      [
        'too many handshakes on the node',
        async (attempt) => (await attempt.accept()).end(failure('InternalError', 'too many in-flight requests')),
      ],
      ['a reset', (attempt) => attempt.reset()],
    ]
    for (const [name, answer] of rows) {
      test(name, bounded, async () => {
        const ran = await runWith((attempt, n) => (n <= 3 ? answer(attempt) : attempt.run()))
        assertFine(ran)
        assert.equal(ran.tries, 4)
      })
    }
  })

  suite('a stream without an exit status is never a success', together, () => {
    const lost = /^connection to the API server lost: /
    const ends: [string, (attempt: ExecAttempt, output: string) => Promise<unknown>][] = [
      ['close 1000', async (attempt, output) => (await opened(attempt, output)).ws.close(1000)],
      ['close 1001', async (attempt, output) => (await opened(attempt, output)).ws.close(1001, 'going away')],
      ['a close without a code', async (attempt, output) => (await opened(attempt, output)).ws.close()],
      ['a reset', async (attempt, output) => (await opened(attempt, output)).reset()],
      ['an end of the TCP connection', async (attempt, output) => (await opened(attempt, output)).ws.terminate()],
      [
        'a status of which half came',
        async (attempt, output) => {
          const stream = await opened(attempt, output)
          await stream.send(3, '{"status":"Succ')
          stream.ws.close(1000)
        },
      ],
      [
        'a message of 33 MiB',
        async (attempt, output) => {
          await (await opened(attempt, output)).send(1, Buffer.alloc(33 * 1024 * 1024))
        },
      ],
    ]
    for (const [name, end] of ends) {
      for (const [when, output] of [
        ['before the command', ''],
        ['at its start', '+'],
        ['in the middle of its output', '+some'],
      ] as const) {
        test(`${name} ${when}`, bounded, async () => {
          const ran = await runWith((attempt) => end(attempt, output))
          assertFails(ran, 'connection', lost)
          assert.equal(ran.stdout.toString(), output.slice(1))
        })
      }
    }
  })

  suite('an exit status without the end marks is no end', together, () => {
    const statuses: [string, object, RegExp][] = [
      ['Success', exited(0), /^the command's output was cut: .*\(exit code 0\)$/],
      ['exit code 137', exited(137), /^the command's output was cut: .*\(exit code 137\)$/],
      ['a failure', failure('InternalError', 'task was lost'), /^the command's output was cut: .*\(task was lost\)$/],
      ['no exit code', { status: 'Failure', reason: 'NonZeroExitCode' }, /was cut: .*names no exit code/],
    ]
    for (const [name, status, message] of statuses) {
      for (const marks of ['none', 'stdout', 'stderr', 'half'] as const) {
        test(`${name}, marks: ${marks}`, bounded, async () => {
          const ran = await runWith(async (attempt) => {
            const stream = await attempt.accept()
            await stream.send(1, Buffer.concat([attempt.markOf('+'), Buffer.from('some')]))
            const mark = attempt.markOf('0;')
            if (marks === 'stdout') await stream.send(1, mark)
            if (marks === 'stderr') await stream.send(2, mark)
            if (marks === 'half') await stream.send(1, mark.subarray(0, 10))
            await stream.end(status)
          })
          assertFails(ran, 'stream', message)
          const held = marks === 'half' ? 10 : 0
          assert.equal(ran.stdout.length, 4 + held)
        })
      }
    }
  })

  suite('what a server may do to the frames', together, () => {
    const fine = Buffer.from('fine\n')

    test('empty messages and frames, unknown channels and the close channel are passed over', bounded, async () => {
      assertFine(
        await runWith(async (attempt) => {
          const stream = await attempt.accept()
          await stream.raw(Buffer.alloc(0))
          for (const channel of [1, 2, 3]) await stream.send(channel, '')
          for (const channel of [0, 4, 5, 7, 254, 255]) await stream.send(channel, 'junk')
          await stream.raw(Buffer.of(255, 1))
          await attempt.play(stream, [fine])
        }),
      )
    })

    test('what stderr brings before stdout has brought the start is not lost', bounded, async () => {
      const ran = await runWith(async (attempt) => {
        const stream = await attempt.accept()
        await stream.send(2, 'early')
        await attempt.play(stream, [fine])
      })
      assertFine(ran)
      assert.equal(ran.stderr, 'early')
    })

    test('one byte a frame, marks too', bounded, async () => {
      const ran = await runWith(async (attempt) => {
        const stream = await attempt.accept()
        const all = Buffer.concat([attempt.markOf('+'), fine, attempt.markOf('7;')])
        for (const byte of all) await stream.send(1, Buffer.of(byte))
        for (const byte of attempt.markOf('7;')) await stream.send(2, Buffer.of(byte))
        await stream.closed()
      })
      assert.deepEqual(ran.result, { exitCode: 7 })
      assert.equal(ran.stdout.toString(), 'fine\n')
    })

    test('4 MiB a frame', bounded, async () => {
      const blocks = [1, 2, 3].map((byte) => Buffer.alloc(4 * 1024 * 1024, byte))
      const ran = await runWith(async (attempt) => attempt.play(await attempt.accept(), blocks))
      assert.deepEqual(ran.result, { exitCode: 0 })
      assert.ok(ran.stdout.equals(Buffer.concat(blocks)))
    })

    test('a text message is none of the protocol', bounded, async () => {
      const ran = await runWith(async (attempt) => (await attempt.accept()).raw('1hello'))
      assertFails(ran, 'stream', /carried a text message/)
    })

    test('what comes after the end marks is not printed', bounded, async () => {
      assertFine(
        await runWith(async (attempt) => {
          const stream = await attempt.accept()
          const all = [attempt.markOf('+'), fine, attempt.markOf('0;'), Buffer.from('left behind')]
          await stream.send(1, Buffer.concat(all))
          await stream.send(2, Buffer.concat([attempt.markOf('0;'), Buffer.from('left behind')]))
          await stream.closed()
        }),
      )
    })

    test('a server that reads no stdin does not hold up the end', bounded, async () => {
      const { PassThrough } = await import('node:stream')
      const input = new PassThrough()
      input.write(Buffer.alloc(1024 * 1024))
      const ran = await runWith(
        async (attempt) => {
          const stream = await attempt.accept()
          stream.ws.pause()
          const playing = attempt.play(stream, [fine])
          // Paused, it would not hear of the client's close.
          await playing
        },
        { input },
      )
      assertFine(ran)
    })

    test('a command of which another exec was started before is not run twice', bounded, async () => {
      await using server = await ScriptedServer.start()
      let tries = 0
      server.exec = async (attempt) => {
        if (attempt.kind !== 'command' || ++tries > 1) return attempt.run()
        // The first one runs, but its answer is lost.
        const container = [...server.pods.all.values()][0]?.container
        const process = container?.exec(attempt.argv, { stdin: true })
        process?.stdin.write('open\n')
        await new Promise((resolve) => process?.stdout.once('data', resolve))
        attempt.refuse('504 Gateway Timeout', '')
      }
      const ran = await runOn(server, ['echo fine'])
      assertFails(ran, 'api', /exit code 125: .*this run was started before$/)
      assert.equal(tries, 2)
      assert.deepEqual(server.left, [])
    })
  })
})
