import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { full } from '../support/full.ts'
import { asUser, neededRules, variant } from './support/account.ts'
import { takesMinutes } from './support/ground.ts'
import { type Kubeconfig, kubectl, nothingLeft, ours, type Place, places } from './support/place.ts'
import { amount, expect } from './support/programs.ts'
import { idleProxy } from './support/proxy.ts'
import { until } from './support/wait.ts'

// What takes minutes by itself, all at the same time.
const { here, guarded, swept, idle } = await places({ here: {}, guarded: {}, swept: {}, idle: {} })
const withoutJobs = await asUser(swept, 'dev', neededRules)

/** Ends clients with `kill -9`, each at another moment of its run. */
async function killAll(place: Place, times: number): Promise<void> {
  const commands = ['sleep 1000', 'trap "" TERM INT HUP; while :; do sleep 1; done', 'yes >/dev/null', 'true']
  for (let n = 0; n < times; n += 5) {
    const batch = Array.from({ length: Math.min(5, times - n) }, (_, m) => commands[(n + m) % commands.length])
    await Promise.all(
      batch.map(async (command) => {
        const run = place.start('exec kubectl kuberun --orphan-timeout 30s "$1"', { words: [command ?? ''] })
        await sleep(Math.random() * 3_000)
        run.kill('SIGKILL')
        await run.ended
      }),
    )
  }
}

async function killPending(place: Place, flags = ''): Promise<void> {
  const run = place.start(`exec kuberun --orphan-timeout 30s ${flags} -l e2e=pending --node-selector no=where true`)
  await until('the pending pod', async () =>
    /kuberun/.test(await kubectl(`get pods -n ${place.namespace} -l e2e=pending -o name`)),
  )
  run.kill('SIGKILL')
  await run.ended
}

describe('after minutes', { concurrency: true, timeout: 600_000, skip: takesMinutes }, () => {
  const kills = amount('KUBERUN_TEST_KILLS', 10, 50)

  test(`a client that was killed at ${kills} random moments leaves nothing within 90 s`, async () => {
    await Promise.all([killAll(guarded, kills), killPending(guarded)])
    await nothingLeft([guarded.namespace], 90_000)
  })

  test('without the right to Jobs nothing goes on, and the next run sweeps', async () => {
    await Promise.all([killAll(withoutJobs, kills), killPending(withoutJobs, '--pod-running-timeout 10s')])
    // The pod that nothing schedules runs nowhere; only a user's next run can remove it.
    const list = await kubectl(`get pods -n ${swept.namespace} -l e2e=pending -o name`)
    const pending = list.trim().replace('pod/', '') || 'removed by a run beside it'
    let alive: string[] = []
    await until(
      'the pods to end',
      async () => {
        const all = await ours([swept.namespace])
        alive = all.filter((line) => !/ (Succeeded|Failed)$/.test(line) && !line.includes(pending))
        return alive.length === 0
      },
      { within: 90_000, every: 1_000 },
    ).catch((cause: unknown) => {
      throw new Error(`still there after 90 s:\n${alive.join('\n')}`, { cause })
    })
    expect(await withoutJobs.sh('kuberun true'), { code: 0, stderr: '' })
    await nothingLeft([swept.namespace], 30_000)
  })

  const silence = full ? 180 : 100
  test(`a run that is silent for ${silence} s ends right`, async () => {
    const ended = await idle.sh(`kuberun 'sleep ${silence}; echo hi; exit 5'`, { timeout: 300_000 })
    expect(ended, { code: 5, stdout: 'hi\n', stderr: '' })
  })

  test(`through a proxy that cuts what is idle for 60 s too, by stdout and by stdin`, async () => {
    const config = JSON.parse(readFileSync(idle.kubeconfig, 'utf8')) as Kubeconfig
    const server = new URL(config.clusters[0]?.cluster.server ?? '')
    await using proxy = await idleProxy({ host: server.hostname, port: Number(server.port || 443) }, 60_000)
    const proxied = variant(idle, 'proxied', ({ clusters }) => {
      for (const { cluster } of clusters) {
        cluster['tls-server-name'] ??= server.hostname
        cluster.server = `https://127.0.0.1:${proxy.port}${server.pathname}`
      }
    })
    const [silent, reading] = await Promise.all([
      proxied.sh(`kuberun 'sleep ${silence}; seq 3; exit 5'`, { timeout: 300_000 }),
      proxied.sh(`(sleep ${silence}; echo late) | kuberun cat`, { timeout: 300_000 }),
    ])
    expect(silent, { code: 5, stdout: '1\n2\n3\n', stderr: '' })
    expect(reading, { code: 0, stdout: 'late\n', stderr: '' })
  })

  test('a pod that is kept stays after the orphan’s time', async () => {
    const ended = await here.sh('kuberun --rm=never --orphan-timeout 10s -l e2e=kept true')
    expect(ended, { code: 0, stderr: /is kept/ })
    await sleep(45_000)
    expect(await here.sh('kubectl exec $(kubectl get pods -l e2e=kept -o name) -- echo there'), {
      code: 0,
      stdout: 'there\n',
    })
    expect(await here.sh('kubectl delete pod -l e2e=kept --wait=false'), { code: 0 })
  })

  test('a command that outlives many orphans’ times goes on', async () => {
    const ended = await here.sh(`kuberun --orphan-timeout 5s 'sleep 40; echo hi'`, { timeout: 90_000 })
    expect(ended, { code: 0, stdout: 'hi\n', stderr: '' })
  })

  test('a client that is stopped loses its run, and says so', async () => {
    const run = here.start(`exec kuberun --orphan-timeout 10s -l e2e=stopped 'echo up; sleep 1000'`, {
      timeout: 150_000,
    })
    await until('the command', () => run.stdout() === 'up\n')
    run.kill('SIGSTOP')
    await sleep(40_000)
    run.kill('SIGCONT')
    const ended = await run.ended
    expect(ended, { code: 125, stdout: 'up\n', stderr: /^error: / })
    assert.doesNotMatch(ended.stderr, /\n\s+at /)
  })

  test('the sweep leaves other users’ runs, running ones and kept ones alone', async () => {
    const other = here.start(`exec kuberun -l e2e=running 'echo up; sleep 20; echo done'`)
    await until('the command', () => other.stdout() === 'up\n')
    expect(await here.sh('kuberun true'), { code: 0 })
    expect(await other.ended, { code: 0, stdout: 'up\ndone\n', stderr: '' })
  })
})
