import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { execa, type Options } from 'execa'
import { cleanEnvironment } from '../support/environment.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const program = fileURLToPath(new URL('../../dist/bin/kuberun', import.meta.url))
const bounded = { timeout: 30_000 }
const together = { concurrency: 4 }

/** Runs the built program on a server. */
function start(server: ScriptedServer, words: readonly string[], options: Options = {}) {
  return execa(program, words, { ...settingOf(server), ...options })
}

/** Runs a script whose `$0` is the program. */
function shell(server: ScriptedServer, script: string) {
  return execa('bash', ['-c', script, program], { ...settingOf(server), stdin: 'ignore' })
}

function settingOf(server: ScriptedServer) {
  const home = dirname(server.kubeconfig)
  const env = cleanEnvironment(home, { KUBECONFIG: server.kubeconfig })
  return { env, cwd: home, extendEnv: false, reject: false, stripFinalNewline: false } as const
}

suite('the built program', together, () => {
  test('gives the command’s output and exit code, over TLS, and leaves nothing', bounded, async () => {
    await using server = await ScriptedServer.start({ tls: true })
    const { stdout, stderr, exitCode } = await start(server, ['echo out; echo err >&2; exit 7'], { input: '' })
    assert.deepEqual([stdout, stderr, exitCode], ['out\n', 'err\n', 7])
    assert.deepEqual(server.left, [])
  })

  test('pipes a stream through, in a pipeline', bounded, async () => {
    await using server = await ScriptedServer.start({ tls: true })
    const script = 'seq 1 2000000 | "$0" md5sum | cat'
    const { stdout } = await shell(server, script)
    const hash = createHash('md5')
    for (let n = 1; n <= 2_000_000; n++) hash.update(`${n}\n`)
    assert.equal(stdout, `${hash.digest('hex')}  -\n`)
  })

  test('gives all output to a file', bounded, async () => {
    await using server = await ScriptedServer.start()
    const script = '"$0" "seq 1 500000" </dev/null >output && wc -l <output && tail -n 1 output'
    const { stdout } = await shell(server, script)
    assert.match(stdout, /^\s*500000\n500000\n$/)
  })

  for (const command of ['echo short', 'yes']) {
    test(`says that the disk is full, after \`${command}\``, bounded, async () => {
      await using server = await ScriptedServer.start()
      const { exitCode, stderr } = await shell(server, `"$0" "${command}" </dev/null >/dev/full`)
      assert.equal(exitCode, 125)
      assert.match(stderr, /^error: cannot write stdout: .*ENOSPC/)
      assert.deepEqual(server.left, [])
    })
  }

  test('says that stdin is a folder, before it makes a pod', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { exitCode, stderr } = await execa('bash', ['-c', '"$0" cat </', program], settingOf(server))
    assert.equal(exitCode, 125)
    assert.match(stderr, /^error: cannot read stdin: EISDIR: it is a folder\n {2}give it a file/)
    assert.deepEqual(server.calls, [])
    const unread = await execa('bash', ['-c', '"$0" --stdin=false echo hi </', program], settingOf(server))
    assert.deepEqual([unread.exitCode, unread.stdout], [0, 'hi\n'])
  })

  test('says that stdout is a folder', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { exitCode, stderr } = await shell(server, '"$0" echo hi 1</')
    assert.equal(exitCode, 125)
    assert.match(stderr, /^error: cannot write stdout: EBADF/)
    assert.deepEqual(server.left, [])
  })

  test('reads a disk as any file', bounded, async (t) => {
    // Only root may read one, and a container mostly has none.
    const disk = readableDisk()
    if (disk === undefined) return t.skip('no disk here can be read')
    await using server = await ScriptedServer.start()
    const { stdout } = await shell(server, `head -c 65536 ${disk} | md5sum; "$0" 'head -c 65536 | md5sum' <${disk}`)
    const [here, there] = stdout.split('\n')
    assert.equal(there, here)
  })

  test('ends when the reader of its stdout has gone', bounded, async () => {
    await using server = await ScriptedServer.start()
    const script = '"$0" yes </dev/null | head -n 1; echo "${PIPESTATUS[0]}"'
    const { stdout, stderr } = await shell(server, script)
    assert.equal(stdout, 'y\n125\n')
    assert.match(stderr, /^error: stdout was closed by its reader/)
    assert.deepEqual(server.left, [])
  })

  test('dies by the signal that its command dies of', bounded, async () => {
    await using server = await ScriptedServer.start()
    const subprocess = start(server, ['echo ready; exec sleep 1000'], { stdin: 'ignore' })
    await new Promise((resolve) => subprocess.stdout?.once('data', resolve))
    subprocess.kill('SIGINT')
    const { signal } = await subprocess
    assert.equal(signal, 'SIGINT')
    assert.deepEqual(server.left, [])
  })

  test('lives on through the signals that its parent ignores', bounded, async () => {
    await using server = await ScriptedServer.start()
    const script = `trap '' HUP; exec "$0" 'echo ready; read -r line; echo "$line"'`
    const subprocess = execa('bash', ['-c', script, program], settingOf(server))
    await new Promise((resolve) => subprocess.stdout?.once('data', resolve))
    subprocess.kill('SIGHUP')
    subprocess.stdin?.end('on\n')
    const { exitCode, stdout } = await subprocess
    assert.deepEqual([exitCode, stdout], [0, 'ready\non\n'])
  })

  test('does not wait for a stdin that stays open', bounded, async () => {
    await using server = await ScriptedServer.start()
    const { exitCode } = await start(server, ['exit 4'], { stdin: 'pipe' })
    assert.equal(exitCode, 4)
  })

  test('is 125 with a sentence when the connection is lost', bounded, async () => {
    await using server = await ScriptedServer.start()
    server.exec = async (attempt) => {
      const stream = await attempt.accept()
      await stream.send(1, attempt.markOf('+'))
      stream.reset()
    }
    const { exitCode, stderr, stdout } = await start(server, ['x'], { stdin: 'ignore' })
    assert.equal(exitCode, 125)
    assert.equal(stdout, '')
    assert.match(String(stderr), /^error: connection to the API server lost: /)
    assert.deepEqual(server.left, [])
  })

  test('takes its stdin as ssh does: the loop around it ends', bounded, async () => {
    await using server = await ScriptedServer.start()
    const script = 'printf "a\\nb\\nc\\n" | while read -r line; do echo "$line"; "$0" cat; done'
    const { stdout } = await shell(server, script)
    assert.equal(stdout, 'a\nb\nc\n')
  })
})

function readableDisk(): string | undefined {
  const paths = readdirSync('/dev').map((name) => `/dev/${name}`)
  return paths.find((path) => {
    try {
      if (!statSync(path).isBlockDevice()) return false
      const file = openSync(path, 'r')
      const length = readSync(file, Buffer.alloc(65_536))
      closeSync(file)
      return length === 65_536
    } catch {
      return false
    }
  })
}
