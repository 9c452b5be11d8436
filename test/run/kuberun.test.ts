import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable, Writable } from 'node:stream'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import type { EndSignal } from '../../src/run/io.ts'
import { collector, type Ran, type RunSetup, runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { TestSignals } from '../support/signals.ts'

const protocols = ['v5', 'v4'] as const
/** What is wrong here often shows as a run without an end. */
const bounded = { timeout: 30_000 }
const together = { concurrency: 4 }

/** Runs a command that says "ready", and does something as soon as it has. */
async function whenReady(
  server: ScriptedServer,
  command: string,
  { act, ...setup }: RunSetup & { act: () => void },
): Promise<Ran> {
  const output = new PassThrough()
  const kept = collector()
  output.pipe(kept)
  output.once('data', act)
  const ran = await runOn(server, [command], { ...setup, output })
  return { ...ran, stdout: kept.data() }
}

suite('what the command does', together, () => {
  for (const [command, exitCode] of [
    [['true'], 0],
    [['exit 1'], 1],
    [['sh', '-c', 'exit 3'], 3],
    [['exit 255'], 255],
    [['kill -9 $$'], 137],
    [['kill -TERM $$'], 143],
    [['/etc/passwd'], 126],
    [['no-such-program', 'x'], 127],
  ] as const) {
    test(`\`${command.join(' ')}\` ends the run with ${exitCode} and leaves nothing behind`, async () => {
      await using server = await ScriptedServer.start()
      const { result, error } = await runOn(server, command)
      assert.equal(error, undefined)
      assert.deepEqual(result, { exitCode })
      assert.deepEqual(server.left, [])
    })
  }

  for (const protocol of protocols) {
    test(`stdout and stderr come apart and whole, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const ran = await runOn(server, ['printf out; printf err >&2; printf "\\376+"; exit 4'])
      assert.deepEqual(ran.result, { exitCode: 4 })
      assert.equal(ran.stdout.toString('latin1'), 'out\xfe+')
      assert.equal(ran.stderr, 'err')
    })

    test(`all byte values go through and come back, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
      const { result, stdout } = await runOn(server, ['cat'], { input: Readable.from([bytes]) })
      assert.deepEqual(result, { exitCode: 0 })
      assert.deepEqual(stdout, bytes)
    })

    test(`64 MiB of random bytes are the same after cat, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol, tls: true })
      const block = randomBytes(1 << 20)
      const [sent, received] = [createHash('sha1'), createHash('sha1')]
      const blocks = function* () {
        for (let n = 0; n < 64; n++) {
          block.writeUInt32BE(n)
          sent.update(block)
          yield Buffer.from(block)
        }
      }
      const output = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          received.update(chunk)
          done()
        },
      })
      const { result, error } = await runOn(server, ['cat'], { input: Readable.from(blocks()), output })
      assert.equal(error, undefined)
      assert.deepEqual(result, { exitCode: 0 })
      assert.equal(received.digest('hex'), sent.digest('hex'))
    })

    test(`the end of stdin reaches the command, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const { stdout } = await runOn(server, ['wc -c'], { input: Readable.from([Buffer.from('12345')]) })
      assert.equal(stdout.toString().trim(), '5')
    })

    test(`without stdin the command reads end of file, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const { stdout } = await runOn(server, ['wc -c'], { stdin: false, input: Readable.from([Buffer.from('12345')]) })
      assert.equal(stdout.toString().trim(), '0')
    })
  }

  test('a stdin that is destroyed without an end is at its end', bounded, async () => {
    await using server = await ScriptedServer.start()
    const input = new PassThrough()
    server.exec = (attempt) => {
      input.destroy()
      return attempt.run()
    }
    assert.deepEqual((await runOn(server, ['cat'], { input })).result, { exitCode: 0 })
  })

  test('a stdin that cannot be read is our error', bounded, async () => {
    await using server = await ScriptedServer.start()
    const input = new Readable({ read: () => input.destroy(new Error('EIO: i/o error, read')) })
    const { error } = await runOn(server, ['cat'], { input })
    assert.ok(error instanceof KuberunError)
    assert.equal(error.code, 'stdio')
    assert.equal(error.message, 'cannot read stdin: EIO: i/o error, read')
    assert.deepEqual(server.left, [])
  })

  test('stdin is not read before the command has started', bounded, async () => {
    await using server = await ScriptedServer.start()
    let reads = 0
    const input = new Readable({
      read: () => {
        reads++
        input.push(null)
      },
    })
    const readsAtExec: number[] = []
    server.exec = (attempt) => {
      readsAtExec.push(reads)
      return readsAtExec.length < 3 ? attempt.notFound() : attempt.run()
    }
    await runOn(server, ['cat'], { input })
    assert.deepEqual(readsAtExec, [0, 0, 0])
    assert.equal(reads, 1)
  })

  test('what stdin brings after the end of the command is left for the next program', bounded, async () => {
    await using server = await ScriptedServer.start()
    const input = new PassThrough()
    input.write('one\n')
    const { result, stdout } = await runOn(server, ['read line; echo "got $line"'], { input })
    assert.deepEqual(result, { exitCode: 0 })
    assert.equal(stdout.toString(), 'got one\n')
    input.write('two\n')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(String(input.read()), 'two\n')
    for (const name of ['data', 'end', 'close', 'error']) assert.equal(input.listenerCount(name), 0, name)
  })

  test('a command that does not read its stdin ends all the same', bounded, async () => {
    await using server = await ScriptedServer.start()
    let pushed = 0
    const input = new Readable({
      read: () => {
        pushed++
        input.push(Buffer.alloc(64 * 1024))
      },
    })
    const { result } = await runOn(server, ['sleep 0.3'], { input })
    assert.deepEqual(result, { exitCode: 0 })
    // A pipe, the sockets and our own two blocks: what nobody takes is not read.
    assert.ok(pushed < 500, `${pushed} blocks were read`)
  })

  test('a slow reader loses nothing', bounded, async () => {
    await using server = await ScriptedServer.start()
    let lines = 0
    let last = ''
    const output = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        const text = chunk.toString('latin1')
        lines += text.split('\n').length - 1
        last = text.slice(-7) || last
        setImmediate(done)
      },
    })
    const { result } = await runOn(server, ['seq 1 300000'], { output })
    assert.deepEqual(result, { exitCode: 0 })
    assert.equal(lines, 300_000)
    assert.equal(last, '300000\n')
  })

  test('a process that the command leaves behind does not hold the run up', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { result, stdout } = await runOn(server, ['sleep 1000 & echo done'])
    assert.deepEqual(result, { exitCode: 0 })
    assert.equal(stdout.toString(), 'done\n')
  })

  test('nasty words reach the command as they are', bounded, async () => {
    await using server = await ScriptedServer.start()
    const words = [
      '',
      ' ',
      'a b',
      '+&%20%',
      'line\nbreak',
      "it's",
      '"$HOME" `id`',
      '\\',
      'äöü €',
      '-n',
      '--',
      'x'.repeat(3000),
    ]
    const { stdout } = await runOn(server, ['printf', '[%s]', ...words])
    assert.equal(stdout.toString(), words.map((word) => `[${word}]`).join(''))
    assert.deepEqual(
      server.execs.filter(({ kind }) => kind === 'arguments'),
      [],
    )
  })

  for (const protocol of protocols) {
    test(`20,000 words get there by an exec of their own, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const words = Array.from({ length: 20_000 }, (_, n) => `it's word ${n}`)
      const { result, stdout } = await runOn(server, [
        'sh',
        '-c',
        'echo $# "$1"; for last; do :; done; echo "$last"',
        'x',
        ...words,
      ])
      assert.deepEqual(result, { exitCode: 0 })
      assert.equal(stdout.toString(), "20000 it's word 0\nit's word 19999\n")
      const command = server.execs.filter(({ kind }) => kind === 'command').at(-1)
      assert.ok(command !== undefined && command.argv.length < 10)
    })
  }

  test('a variable that shells drop is told, once', bounded, async () => {
    await using server = await ScriptedServer.start()
    const env = ['a.b', 'A_1', '1A'].map((name) => ({ name, value: 'v' }))
    const { stderr, result } = await runOn(server, ['true'], { pod: { env } })
    assert.deepEqual(result, { exitCode: 0 })
    assert.deepEqual(
      stderr.match(/^warning: .*$/gm)?.map((line) => /"[^"]+"/.exec(line)?.[0]),
      ['"a.b"', '"1A"'],
    )
    assert.match(stderr, /"env a\.b=VALUE COMMAND"/)
  })

  test('a not found command is explained', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { stderr } = await runOn(server, ['no-such-program'])
    assert.match(
      stderr,
      /warning: exit code 127: "no-such-program", or what it started, was not found in image "alpine:3\.20"/,
    )
  })
})

suite('signals and limits', together, () => {
  for (const protocol of protocols) {
    test(`the first INT goes to the command, whose exit code is its own, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const signals = new TestSignals()
      const ran = await whenReady(server, 'trap "echo bye; exit 7" INT; echo ready; while :; do sleep 0.02; done', {
        signals,
        // A stdin that stays open.
        input: new PassThrough(),
        act: () => signals.send('INT'),
      })
      assert.equal(ran.error, undefined)
      assert.deepEqual(ran.result, { exitCode: 7 })
      assert.equal(ran.stdout.toString(), 'ready\nbye\n')
      assert.deepEqual(server.left, [])
      assert.equal(signals.listeners.size, 0)
    })

    test(`USR1 goes to the command, which goes on, with ${protocol}`, bounded, async () => {
      await using server = await ScriptedServer.start({ protocol })
      const signals = new TestSignals()
      const ran = await whenReady(server, 'trap "echo usr; exit 0" USR1; echo ready; while :; do sleep 0.02; done', {
        signals,
        input: new PassThrough(),
        act: () => signals.send('USR1'),
      })
      assert.deepEqual(ran.result, { exitCode: 0 })
      assert.equal(ran.stdout.toString(), 'ready\nusr\n')
    })
  }

  const numbers = { INT: 130, TERM: 143, HUP: 129, QUIT: 131 } satisfies Record<EndSignal, number>
  for (const [signal, exitCode] of Object.entries(numbers) as [EndSignal, number][]) {
    test(`a command that dies of ${signal} makes the run end by ${signal}`, bounded, async () => {
      await using server = await ScriptedServer.start()
      const signals = new TestSignals()
      const ran = await whenReady(server, 'echo ready; exec sleep 1000', { signals, act: () => signals.send(signal) })
      assert.deepEqual(ran.result, { exitCode, signal })
      assert.deepEqual(server.left, [])
    })
  }

  test('the whole process group is signalled', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    const inner = 'trap "echo inner; exit 0" INT; echo ready; while :; do sleep 0.02; done'
    const ran = await whenReady(server, `trap : INT; sh -c '${inner}'; echo outer; exit 9`, {
      signals,
      act: () => signals.send('INT'),
    })
    assert.equal(ran.stdout.toString(), 'ready\ninner\nouter\n')
    assert.deepEqual(ran.result, { exitCode: 9 })
  })

  test('a second INT ends the run, whatever the command does', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    const ran = await whenReady(server, 'trap "" INT TERM; echo ready; while :; do sleep 0.02; done', {
      signals,
      act: () => {
        signals.send('INT')
        signals.send('INT')
      },
    })
    assert.deepEqual(ran.result, { exitCode: 130, signal: 'INT' })
    assert.deepEqual(server.left, [])
  })

  test('a command that ignores TERM is killed after the grace period', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    const ran = await whenReady(server, 'trap "" TERM; echo ready; while :; do sleep 0.02; done', {
      signals,
      gracePeriod: 50,
      act: () => signals.send('TERM'),
    })
    assert.deepEqual(ran.result, { exitCode: 143, signal: 'TERM' })
    assert.deepEqual(server.left, [])
  })

  for (const [name, command] of [
    ['sleeps', 'sleep 1000'],
    ['ends in peace when asked', 'trap "exit 0" TERM; while :; do sleep 0.02; done'],
    ['does not listen', 'trap "" TERM; while :; do sleep 0.02; done'],
  ] as const) {
    test(`--timeout is 124 for a command that ${name}`, bounded, async () => {
      await using server = await ScriptedServer.start()
      const { result } = await runOn(server, [command], { timeout: 150, gracePeriod: 150 })
      assert.deepEqual(result, { exitCode: 124 })
      assert.deepEqual(server.left, [])
    })
  }

  test('INT before the command has started ends the run at once', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    server.life = () => signals.send('INT')
    const { result, stderr } = await runOn(server, ['true'], { signals })
    assert.deepEqual(result, { exitCode: 130, signal: 'INT' })
    assert.equal(stderr, '')
    assert.deepEqual(server.left, [])
  })

  test('INT while the pod is being made deletes it though its answer never came', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    server.life = () => {}
    server.answers['create pod'] = (_seen, _response, _request, usual) => {
      usual()
      signals.send('INT')
    }
    const { result } = await runOn(server, ['true'], { signals })
    assert.deepEqual(result, { exitCode: 130, signal: 'INT' })
    assert.deepEqual(server.left, [])
  })

  test('a control exec that fails for ever does not end a healthy run', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = (attempt) =>
      attempt.kind === 'control' ? attempt.refuse('500 Internal Server Error', 'no') : attempt.run()
    const { result, stdout, stderr } = await runOn(server, ['sleep 2; echo fine'])
    assert.deepEqual(result, { exitCode: 0 })
    assert.equal(stdout.toString(), 'fine\n')
    assert.equal(stderr, '')
    assert.ok(server.execs.filter(({ kind }) => kind === 'control').length > 1)
  })

  test('a signal gets through although the first control exec is lost', bounded, async () => {
    await using server = await ScriptedServer.start()
    const signals = new TestSignals()
    let controls = 0
    server.exec = (attempt) => {
      if (attempt.kind !== 'control' || ++controls > 2) return attempt.run()
      return controls === 1 ? attempt.reset() : attempt.accept().then((stream) => stream.reset())
    }
    const ran = await whenReady(server, 'trap "exit 5" INT; echo ready; while :; do sleep 0.02; done', {
      signals,
      act: () => signals.send('INT'),
    })
    assert.deepEqual(ran.result, { exitCode: 5 })
    assert.equal(controls, 3)
  })
})

suite('keeping the pod', together, () => {
  for (const [rm, command, kept] of [
    ['always', 'exit 3', false],
    ['on-success', 'exit 0', false],
    ['on-success', 'exit 3', true],
    ['never', 'exit 0', true],
  ] as const) {
    test(`--rm=${rm} ${kept ? 'keeps' : 'deletes'} the pod after \`${command}\``, async () => {
      await using server = await ScriptedServer.start()
      const { result, stderr } = await runOn(server, [command], { rm })
      assert.deepEqual(result, { exitCode: Number(command.slice(-1)) })
      assert.equal(server.of('delete pod').length, kept ? 0 : 1)
      assert.equal(
        /is kept .* "kubectl delete pod -n dev kuberun-\w+".*: kubectl exec -it -n dev kuberun-\w+ -c kuberun -- sh\n$/.test(
          stderr,
        ),
        kept,
      )
      // A Job that stays would take its pod with it.
      for (const job of server.of('delete job')) {
        assert.equal(job.query.get('propagationPolicy'), kept ? 'Orphan' : 'Background')
      }
      assert.equal(server.of('create job').length, server.of('delete job').length)
    })
  }

  test('a kept pod stays, without any more beats', bounded, async () => {
    await using server = await ScriptedServer.start()
    await runOn(server, ['true'], { rm: 'never', pod: { orphanTimeout: 5_000 } })
    const [pod] = server.pods.all.values()
    assert.ok(pod?.container)
    assert.equal(await pod.container.exec(['sh', '-c', '[ -e /dev/shm/kuberun.keep ]']).exitCode, 0)
  })

  test('the guard asks for no more than its deadline while the run is short', bounded, async () => {
    await using server = await ScriptedServer.start()
    await runOn(server, ['true'])
    assert.equal(server.of('patch job').length, 0)
  })
})

test('runs beside each other do not touch each other', bounded, async () => {
  await using server = await ScriptedServer.start()
  const runs = Array.from({ length: 5 }, async (_, n) => {
    const { result, stdout } = await runOn(server, [`echo ${n}; exit ${n}`])
    return [result?.exitCode, stdout.toString()]
  })
  assert.deepEqual(
    await Promise.all(runs),
    Array.from({ length: 5 }, (_, n) => [n, `${n}\n`]),
  )
  assert.deepEqual(server.left, [])
})
