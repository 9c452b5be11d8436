import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { plainShell } from '../../src/pod/shell.ts'
import { PodShell, type Said } from '../../src/sync/remote/pod-shell.ts'
import { PodFolder } from '../support/pod-folder.ts'

const bounded = { timeout: 30_000 }
const place = { target: { namespace: 'dev', pod: 'p', container: 'kuberun' }, shell: plainShell }

/** A shell in a pod's folder. The mark is the first word of its scripts, as of whoever reads its command line. */
class Setting implements AsyncDisposable {
  readonly pod = new PodFolder()
  readonly shell: PodShell

  constructor(longestSilence = 20_000) {
    const { signal } = new AbortController()
    this.shell = new PodShell(this.pod.client, { ...place, signal, longestSilence })
  }

  /** The ids of what scripts left running. */
  get #endless(): number[] {
    const file = join(this.pod.root, 'pids')
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8').trim().split('\n').map(Number)
  }

  async run(script: string): Promise<{ output: string; said: Said }> {
    const said: Said = { stderr: '' }
    let output = ''
    for await (const piece of this.shell.run(script, said)) output += piece.toString('latin1')
    return { output, said }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shell.close()
    for (const pid of this.#endless) process.kill(pid)
    await this.pod.idle()
    this.pod[Symbol.dispose]()
  }
}

const mark = `printf '\\001%s ' "$1"`
const endless = `exec /bin/sh -c 'echo $$ >>pids; exec "$@"' sh`

suite('the shell in the pod', () => {
  test('runs one script after the other in one exec, and tells what each says', bounded, async () => {
    await using setting = new Setting()
    for (const code of [0, 7, 130]) {
      const { output, said } = await setting.run(`echo out ${code}; echo err ${code} >&2; exit ${code}\n`)
      assert.equal(output, `out ${code}\n`)
      assert.deepEqual(said, { stderr: `err ${code}\n`, code })
    }
    assert.equal(setting.pod.connects, 1)
  })

  test('keeps what was complained of last', bounded, async () => {
    await using setting = new Setting()
    const { said } = await setting.run('i=0; while [ $i -lt 9999 ]; do printf "%0200d\\n" $i; i=$((i + 1)); done >&2\n')
    assert.ok(said.stderr.length <= 1024 ** 2)
    assert.match(said.stderr, /^0\d{199}\n[^]*\n0+9998\n$/)
  })

  const abuses: [what: string, script: string][] = [
    ['a mark on stdout, and no end after it', `${mark}; ${endless} /usr/bin/yes`],
    ['a mark on stdout, and some other code', `${mark}; echo 1234567890`],
    [
      'more than a line after it, in small pieces',
      `${mark}; for i in 1 2 3 4 5 6 7 8 9 0; do printf x; /bin/sleep 0.01; done`,
    ],
    ['complaints without end', `${endless} /usr/bin/yes "$(printf '%08191d' 0)" >&2`],
  ]
  for (const [what, script] of abuses) {
    test(`is left when it writes ${what}`, bounded, async () => {
      await using setting = new Setting()
      await assert.rejects(setting.run(`${script}\n`), { code: 'sync', message: /makes no sense/ })
      assert.equal((await setting.run('echo on\n')).output, 'on\n')
    })
  }

  test('has said all when its marks are there, whatever comes after that on stderr', bounded, async () => {
    await using setting = new Setting()
    const { said } = await setting.run(`${mark} >&2; echo more >&2; exit 3\n`)
    assert.deepEqual(said, { stderr: '', code: 3 })
    assert.equal((await setting.run('echo on\n')).output, 'on\n')
  })

  test('is left when it says nothing for long, and the next script has another', bounded, async () => {
    await using setting = new Setting(300)
    await assert.rejects(setting.run(`${endless} /bin/sleep 60\n`), {
      code: 'sync',
      message: /nothing was heard of it for 0\.3 s/,
    })
    assert.equal((await setting.run('echo on\n')).output, 'on\n')
    assert.equal(setting.pod.connects, 2)
  })
})
