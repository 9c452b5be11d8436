import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { type Exec, type ExecRequest, openExec } from '../../src/exec/exec.ts'
import type { ExitStatus } from '../../src/exec/exit-status.ts'
import { type KubeClient, openKubeClient } from '../../src/kube/client.ts'
import { until } from '../support/events.ts'
import { type ExecAttempt, type ExecStream, exited } from '../support/scripted-exec.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const bounded = { timeout: 20_000 }
const target = { namespace: 'dev', pod: 'p', container: 'c' }

/** Opens an exec on a server with a script. */
async function open(
  script: (attempt: ExecAttempt) => unknown,
  more: Partial<ExecRequest> = {},
  protocol: 'v5' | 'v4' = 'v5',
): Promise<{ exec: Exec; server: ScriptedServer; client: KubeClient } & AsyncDisposable> {
  const server = await ScriptedServer.start({ protocol })
  server.exec = script
  const client = await openKubeClient({ kubeconfig: server.kubeconfig })
  const { signal } = new AbortController()
  const exec = await openExec(client, { target, command: ['x'], stdin: true, tty: false, signal, ...more })
  return {
    exec,
    server,
    client,
    [Symbol.asyncDispose]: async () => {
      exec.close()
      client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Reads an exec to its end. */
async function read(exec: Exec): Promise<{ text: string; status: ExitStatus }> {
  let text = ''
  for (;;) {
    const next = await exec.output.next()
    if (next.done) return { text, status: next.value }
    text += `${next.value.channel}:${next.value.data.toString()} `
  }
}

function isConnectionError(error: unknown): boolean {
  return error instanceof KuberunError && error.code === 'connection'
}

suite('an exec', () => {
  for (const [stdin, tty] of [
    [true, false],
    [false, false],
    [true, true],
  ] as const) {
    test(
      `asks for its streams, ${stdin ? 'with' : 'without'} stdin, ${tty ? 'with' : 'without'} a tty`,
      bounded,
      async () => {
        const command = ['sh', '-c', 'a  b+c&d%20=\nä', '', '--', '-x']
        await using opened = await open(async (attempt) => (await attempt.accept()).end(exited(0)), {
          stdin,
          tty,
          command,
        })
        await read(opened.exec)
        const query = opened.server.execs[0]?.query
        assert.deepEqual(query?.getAll('command'), command)
        assert.equal(query?.get('container'), 'c')
        assert.equal(query?.get('stdin') === 'true', stdin)
        assert.equal(query?.get('stdout'), 'true')
        assert.equal(query?.get('stderr') === 'true', !tty)
        assert.equal(query?.get('tty') === 'true', tty)
      },
    )
  }

  for (const protocol of ['v5', 'v4'] as const) {
    test(`speaks ${protocol} where the server does`, bounded, async () => {
      await using opened = await open(async (attempt) => (await attempt.accept()).end(exited(7)), {}, protocol)
      assert.equal(opened.exec.protocol, protocol)
      assert.equal(opened.server.execs[0]?.offered, 'v5.channel.k8s.io,v4.channel.k8s.io')
      assert.deepEqual((await read(opened.exec)).status, { kind: 'exited', code: 7 })
    })
  }

  test('loses nothing that comes with the handshake, in order', bounded, async () => {
    await using opened = await open(async (attempt) => {
      const stream = await attempt.accept()
      void stream.send(1, 'a')
      void stream.send(2, 'b')
      void stream.send(1, 'c')
      await stream.end(exited(0))
    })
    // The caller may take its time.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { text, status } = await read(opened.exec)
    assert.equal(text, '1:a 2:b 1:c ')
    assert.deepEqual(status, { kind: 'exited', code: 0 })
  })

  test('takes a status that comes in many frames, among output', bounded, async () => {
    await using opened = await open(async (attempt) => {
      const stream = await attempt.accept()
      const bytes = Buffer.from(JSON.stringify(exited(9)))
      for (const [at, byte] of bytes.entries()) {
        await stream.send(3, Buffer.of(byte))
        if (at % 50 === 0) await stream.send(1, '.')
      }
      await stream.closed()
    })
    const { status } = await read(opened.exec)
    assert.deepEqual(status, { kind: 'exited', code: 9 })
  })

  test('that is not read holds the server up', bounded, async () => {
    let sent = 0
    let stream: ExecStream | undefined
    await using opened = await open(async (attempt) => {
      stream = await attempt.accept()
      while (stream.ws.readyState === stream.ws.OPEN) {
        await stream.send(1, Buffer.alloc(32 * 1024))
        sent++
      }
    })
    await opened.exec.output.next()
    for (let before = -1; before !== sent; ) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    // 32 messages wait here; the rest is in the sockets.
    assert.ok(sent < 1_000, `${sent} messages were sent`)
    const before = sent
    for (let n = 0; n < 200; n++) await opened.exec.output.next()
    await until(() => sent > before)
  })

  test('sets the terminal’s size with a tty only, and to no nothing', bounded, async () => {
    for (const tty of [true, false]) {
      const got: string[] = []
      await using opened = await open(
        async (attempt) => {
          const stream = await attempt.accept()
          stream.ws.on('message', (message: Buffer) => {
            got.push(message.toString('latin1'))
            if (message[0] === 0) void stream.end(exited(0))
          })
        },
        { tty },
      )
      opened.exec.resize({ columns: 80, rows: 24 })
      opened.exec.resize({ columns: 0, rows: 0 })
      await opened.exec.input({ framed: false }).write(Buffer.from('x'))
      await read(opened.exec)
      assert.deepEqual(got, [...(tty ? ['\x04{"Width":80,"Height":24}'] : []), '\0x'])
    }
  })

  test('that is aborted ends with the signal', bounded, async () => {
    const abort = new AbortController()
    let stream: ExecStream | undefined
    await using opened = await open(
      async (attempt) => {
        stream = await attempt.accept()
        await stream.send(1, 'a')
      },
      { signal: abort.signal },
    )
    await opened.exec.output.next()
    const next = opened.exec.output.next()
    abort.abort()
    await assert.rejects(next, { name: 'AbortError' })
    await stream?.closed()
  })

  test('that is closed drops the connection', bounded, async () => {
    let stream: ExecStream | undefined
    await using opened = await open(async (attempt) => {
      stream = await attempt.accept()
    })
    const rejected = assert.rejects(opened.exec.output.next(), isConnectionError)
    await until(() => stream !== undefined)
    opened.exec.close()
    await stream?.closed()
    await rejected
  })

  test('whose connection breaks before it is read still tells', bounded, async () => {
    let stream: ExecStream | undefined
    await using opened = await open(async (attempt) => {
      stream = await attempt.accept()
      stream.reset()
    })
    await until(() => stream !== undefined)
    const input = opened.exec.input({ framed: false })
    for (let n = 0; n < 5; n++) {
      await input.write(Buffer.from('x'))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await assert.rejects(opened.exec.output.next(), isConnectionError)
  })
})
