import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { full } from '../support/full.ts'
import { takesMinutes } from './support/ground.ts'
import { places } from './support/place.ts'
import { amount, expect, folder, onSandbox } from './support/programs.ts'

const { here } = await places({ here: {} })

describe('bytes', { timeout: 240_000 }, () => {
  test('all 256 values, in any order, come back', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
    writeFileSync(join(folder, 'bytes'), Buffer.concat([every, every.toReversed(), Buffer.from('\r\n\0')]))
    expect(await here.sh('kubectl kuberun cat <bytes | cmp - bytes'), { code: 0, stdout: '', stderr: '' })
  })

  test('64 MiB of random bytes come back', async () => {
    const chunks = Array.from({ length: 64 }, () => randomBytes(1024 * 1024))
    writeFileSync(join(folder, 'random'), Buffer.concat(chunks))
    const ended = await here.sh('set -o pipefail; kubectl kuberun cat <random | cmp - random', { timeout: 120_000 })
    expect(ended, { code: 0, stdout: '', stderr: '' })
  })

  test('they come back from a slow pipe, byte by byte', async () => {
    const ended = await here.sh(`(for i in 1 2 3 4 5; do printf $i; sleep 0.3; done) | kuberun 'dd bs=1 2>/dev/null'`)
    expect(ended, { code: 0, stdout: '12345', stderr: '' })
  })

  test('stdin comes as it is typed, not at its end', async () => {
    const script = `mkfifo in out; kuberun cat <in >out & exec 3>in 4<out
      for i in 1 2 3; do echo $i >&3; read -r -t 20 line <&4 || exit 1; echo "got $line"; done; exec 3>&-; wait $!`
    const ended = await here.sh(`d=$(mktemp -d) && cd $d && ${script}`)
    expect(ended, { code: 0, stdout: 'got 1\ngot 2\ngot 3\n', stderr: '' })
  })

  test('stdout and stderr are kept apart, each whole', async () => {
    const script = 'for i in $(seq 2000); do echo $i; echo $i >&2; done'
    const ended = await here.sh(`kuberun '${script}'`)
    const lines = Array.from({ length: 2000 }, (_, n) => `${n + 1}\n`).join('')
    assert.equal(ended.stdout, lines)
    assert.equal(ended.stderr, lines)
  })

  test('what looks like a mark of ours comes through', async () => {
    const ended = await here.sh(`kuberun 'printf "\\376abc+\\376\\376"; printf "\\376" >&2' | od -An -tx1`)
    expect(ended, { code: 0, stdout: ' fe 61 62 63 2b fe fe\n' })
  })
})

describe('1 GiB', { timeout: 400_000, skip: takesMinutes }, () => {
  const size = { small: 300 * 1024 ** 2, large: 1024 ** 3 }
  const peaks = new Map<string, number>()

  for (const [way, command] of [
    ['in', (bytes: number) => `head -c ${bytes} /dev/zero | (exec kuberun wc -c)`],
    ['out', (bytes: number) => `kuberun -- head -c ${bytes} /dev/zero | wc -c`],
  ] as const) {
    for (const [name, bytes] of Object.entries(size)) {
      test(`${bytes / 1024 ** 2} MiB ${way} need little memory`, async () => {
        for (const _ of [1, 2, 3]) {
          const run = here.start(`set -o pipefail; ${command(bytes)}`, { timeout: 180_000 })
          const peak = await peakOf(run.pid, run.ended)
          expect(await run.ended, { code: 0, stdout: `${bytes}\n`, stderr: '' })
          assert.ok(peak > 20 && peak <= 140, `peak of ${peak} MB`)
          peaks.set(`${way} ${name}`, Math.min(peak, peaks.get(`${way} ${name}`) ?? peak))
        }
      })
    }

    test(`1 GiB ${way} needs no more than 300 MiB`, (t) => {
      const [small = 0, large = 0] = [peaks.get(`${way} small`), peaks.get(`${way} large`)]
      t.diagnostic(`peak ${way}: ${small} MB and ${large} MB`)
      // The least of three: what the collector leaves lying about, 12 MB from run to run, only adds to what is needed, and what grows with the bytes is in each.
      assert.ok(large <= small + 15, `${large} MB, and ${small} MB for 300 MiB`)
    })
  }
})

/** The most memory, in MB, of our program among a script's children. */
async function peakOf(pid: number, ended: Promise<unknown>): Promise<number> {
  const over = ended.then(() => true)
  let peak = 0
  while (!(await Promise.race([over, sleep(50, false)]))) {
    for (const child of [pid, ...(await descendants(pid))]) {
      const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')
      if (!/^node\0.*\/kuberun\0/.test(command)) continue
      const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => '')
      const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(status) ?? []
      peak = Math.max(peak, Math.round(Number(kilobytes ?? 0) / 1000))
    }
  }
  return peak
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.trim().split(' ').filter(Boolean).map(Number)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}

describe('every line arrives', { timeout: 600_000 }, () => {
  test('of 200000, every time', async () => {
    const times = amount('KUBERUN_TEST_TIMES', onSandbox ? 3 : 20, 100)
    const script = `for i in $(seq ${times}); do kubectl kuberun seq 1 200000 | wc -l; done | sort | uniq -c`
    const ended = await here.sh(script, { timeout: 300_000 })
    expect(ended, { code: 0, stdout: new RegExp(`^ *${times} 200000\n$`), stderr: '' })
  })

  test('of 200000, many at a time', async () => {
    const times = amount('KUBERUN_TEST_TIMES', onSandbox ? 3 : 20, 100)
    const script = `seq ${times} | xargs -P20 -I{} sh -c 'kubectl kuberun seq 1 200000 </dev/null | wc -l' | sort | uniq -c`
    const ended = await here.sh(script, { timeout: 300_000 })
    expect(ended, { code: 0, stdout: new RegExp(`^ *${times} 200000\n$`), stderr: '' })
  })

  const readers = full ? [15, 60] : [15]
  for (const seconds of readers) {
    test(`to a reader that begins after ${seconds} s`, async () => {
      const times = amount('KUBERUN_TEST_SLOW_TIMES', onSandbox ? 1 : 3, 10)
      const one = `kubectl kuberun seq 1 3000000 </dev/null | (sleep ${seconds}; wc -l)`
      const ended = await here.sh(`seq ${times} | xargs -P5 -I{} sh -c '${one}' | sort | uniq -c`, { timeout: 300_000 })
      expect(ended, { code: 0, stdout: new RegExp(`^ *${times} 3000000\n$`), stderr: '' })
    })
  }

  test('to a reader that takes its time all along', async () => {
    const reader = 's=0; while n=$(head -c 500000 | wc -c); [ "$n" -gt 0 ]; do s=$((s + n)); sleep 0.05; done; echo $s'
    const ended = await here.sh(`kuberun seq 1 2000000 | (${reader})`)
    const length = Array.from({ length: 2_000_000 }, (_, n) => String(n + 1).length + 1).reduce((a, b) => a + b, 0)
    expect(ended, { stdout: `${length}\n` })
  })

  test('of what a command prints with its last breath', async () => {
    const script = `kuberun -- sh -c 'seq 1 100000; seq 1 100000 >&2; kill -9 $$' 2>&1 | wc -l; echo "\${PIPESTATUS[0]}"`
    expect(await here.sh(script), { stdout: '200000\n137\n' })
  })
})
