import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inChroots, needsCluster, needsSandbox, triedElsewhere } from './support/ground.ts'
import { has, images } from './support/images.ts'
import { kubectl, places } from './support/place.ts'
import { expect, expectError, type Started } from './support/programs.ts'
import { until } from './support/wait.ts'

const { here } = await places({ here: {} })

/** A command that tells when it runs, and what it is ended by; it ends in its own time, with 42. */
const trapping = (signals: string) =>
  `'for s in ${signals}; do trap "sleep 0.7; echo got $s; exit 42" $s; done; echo up; while :; do sleep 0.1; done'`

async function isUp(run: Started, what = 'up'): Promise<void> {
  await until(`"${what}" of the command`, () => run.stdout().includes(`${what}\n`), { every: 20 })
}

/** The pod of a run: by a label that only this run has. */
async function podOf(label: string): Promise<string> {
  const form = "-o jsonpath='{.items[*].metadata.name}'"
  return await until(`the pod with label ${label}`, async () => {
    const name = await kubectl(`get pods -n ${here.namespace} -l ${label} ${form}`)
    return name === '' ? undefined : name
  })
}

async function isGone(label: string): Promise<void> {
  const pods = `pods -n ${here.namespace} -l ${label}`
  try {
    await until(`the pod with label ${label} to be gone`, async () => (await kubectl(`get ${pods} -o name`)) === '')
  } catch (error) {
    throw new Error(await kubectl(`describe ${pods}`), { cause: error })
  }
}

describe('a signal', { concurrency: 3, timeout: 240_000 }, () => {
  for (const signal of triedElsewhere ? (['INT', 'TERM'] as const) : (['INT', 'TERM', 'HUP', 'QUIT'] as const)) {
    test(`${signal} reaches the command, which ends in its own way`, async () => {
      const label = `e2e=trap-${signal.toLowerCase()}`
      const run = here.start(`exec kuberun -l ${label} ${trapping('INT TERM HUP QUIT')}`)
      await isUp(run)
      run.kill(`SIG${signal}`)
      // A shell may itself say on stderr that a child of its was killed.
      expect(await run.ended, { code: 42, stdout: `up\ngot ${signal}\n` })
      await isGone(label)
    })

    test(`${signal} ends a command that has no word on it, and us by the same`, async () => {
      const label = `e2e=plain-${signal.toLowerCase()}`
      const run = here.start(`exec kubectl kuberun -l ${label} 'echo up; exec sleep 300'`)
      await isUp(run)
      // As the terminal does: to kubectl and the plugin, which it has become.
      run.kill(`SIG${signal}`)
      const number = { INT: 2, TERM: 15, HUP: 1, QUIT: 3 }[signal]
      const ended = await run.ended
      expect(ended, { code: 128 + number, stdout: 'up\n', stderr: '' })
      assert.ok(ended.milliseconds < 20_000, `took ${ended.milliseconds} ms`)
      await isGone(label)
    })
  }

  for (const signal of triedElsewhere ? (['USR1'] as const) : (['USR1', 'USR2', 'WINCH'] as const)) {
    test(`${signal} reaches the command`, async () => {
      const run = here.start(`exec kuberun ${trapping(signal)}`)
      await isUp(run)
      run.kill(`SIG${signal}`)
      // A shell may itself say on stderr that a child of its was killed.
      expect(await run.ended, { code: 42, stdout: `up\ngot ${signal}\n` })
    })
  }

  test('it reaches every process of the command’s group', async () => {
    const run = here.start(`exec kuberun '(trap "echo child; exit" TERM; echo up; while :; do sleep 0.1; done) & wait'`)
    await isUp(run)
    run.kill('SIGTERM')
    expect(await run.ended, { code: 143, stdout: /^up\n(child\n)?/ })
  })

  test('it does not kill a shell that goes on after its child', async () => {
    const run = here.start(`exec kuberun 'trap "echo no" INT; echo up; sleep 1; echo on; exit 7'`)
    await isUp(run)
    run.kill('SIGINT')
    expect(await run.ended, { code: 7, stdout: /^up\nno\non\n$/ })
  })

  test('HUP under nohup, and INT to a script’s background, have no effect', async () => {
    const long = `-l e2e=ignored 'echo up; sleep 3; echo on'`
    const hangUp = here.start(`exec nohup kuberun ${long}`)
    const background = here.start(`sh -c '"$@" & wait' sh kuberun ${long}`)
    await Promise.all([isUp(hangUp), isUp(background)])
    hangUp.kill('SIGHUP')
    background.kill('SIGINT', 'group')
    expect(await hangUp.ended, { code: 0, stdout: 'up\non\n' })
    await until('the background to end', () => background.stdout() === 'up\non\n')
  })

  test('before the command runs it ends the run, and leaves nothing', async () => {
    const label = 'e2e=early'
    const run = here.start(`exec kuberun -l ${label} --node-selector no=where true`)
    await podOf(label)
    run.kill('SIGINT')
    const ended = await run.ended
    expect(ended, { code: 130, stdout: '' })
    assert.doesNotMatch(ended.stderr, /error: /)
    await isGone(label)
  })

  test('at any moment it leaves nothing', { timeout: 120_000 }, async () => {
    for (let wait = 0; wait <= 900; wait += triedElsewhere ? 300 : 100) {
      const run = here.start('exec kuberun -l e2e=any-moment sleep 100')
      await sleep(wait)
      run.kill('SIGTERM')
      const ended = await run.ended
      expect(ended, { code: 143, stdout: '' })
      assert.doesNotMatch(ended.stderr, /error: |\n\s+at /, `${wait} ms: ${ended.stderr}`)
    }
    await isGone('e2e=any-moment')
  })

  test('the second INT does not wait', async () => {
    const run = here.start(`exec kuberun 'trap "echo no" INT TERM; echo up; while :; do sleep 1; done'`)
    await isUp(run)
    run.kill('SIGINT')
    await isUp(run, 'no')
    const begin = performance.now()
    run.kill('SIGINT')
    expect(await run.ended, { code: 130, stdout: /^up\nno\n/ })
    assert.ok(performance.now() - begin < 5_000, `took ${performance.now() - begin} ms`)
  })

  test('a command that does not end is killed after --grace-period', async () => {
    const run = here.start(`exec kuberun --grace-period 2s 'trap "" TERM; echo up; while :; do sleep 1; done'`)
    await isUp(run)
    const begin = performance.now()
    run.kill('SIGTERM')
    expect(await run.ended, { code: 143, stdout: 'up\n' })
    const took = performance.now() - begin
    assert.ok(took > 1_900 && took < 8_000, `took ${took} ms`)
  })

  test('output that was printed in a trap is whole', async () => {
    const run = here.start(`exec kuberun 'trap "seq 1 100000; exit 3" TERM; echo up; while :; do sleep 0.1; done'`)
    await isUp(run)
    run.kill('SIGTERM')
    const ended = await run.ended
    expect(ended, { code: 3 })
    assert.equal(ended.stdout.trim().split('\n').length, 100_001)
  })
})

describe('--timeout', { concurrency: 3, timeout: 60_000 }, () => {
  test('ends the command with TERM, and us with 124', async () => {
    const ended = await here.sh(`kuberun --timeout 1s 'trap "echo got TERM; exit 5" TERM; while :; do sleep 0.1; done'`)
    expect(ended, { code: 124, stdout: 'got TERM\n' })
  })

  test('does nothing to a command that is quicker', async () => {
    expect(await here.sh('kuberun --timeout 30s -- sh -c "echo hi; exit 4"'), { code: 4, stdout: 'hi\n', stderr: '' })
  })

  test('kills a command that does not end', async () => {
    const ended = await here.sh(`kuberun --timeout 1s --grace-period 1s 'trap "" TERM; while :; do sleep 1; done'`)
    expect(ended, { code: 124 })
    assert.ok(ended.milliseconds < 10_000, `took ${ended.milliseconds} ms`)
  })
})

const memory = needsCluster('limits of memory')
const faults = needsSandbox('fails on request')

describe('a pod that ends under the command', { concurrency: 4, timeout: 120_000 }, () => {
  test('deleted by somebody else: the command’s trap runs, and the cause is told', async () => {
    const label = 'e2e=deleted'
    const run = here.start(`exec kuberun -l ${label} ${trapping('TERM')}`)
    await isUp(run)
    await kubectl(`delete pod -n ${here.namespace} -l ${label} --wait=false`)
    const ended = await run.ended
    expectError(ended, /pod ".*" ended while the command ran: it was deleted/, { within: 20_000 })
    assert.equal(ended.stdout, 'up\ngot TERM\n')
    await isGone(label)
  })

  test('deleted by somebody else, with a command that has no word on it', async () => {
    const label = 'e2e=deleted-plain'
    const run = here.start(`exec kuberun -l ${label} 'echo up; exec sleep 300'`)
    await isUp(run)
    await kubectl(`delete pod -n ${here.namespace} -l ${label} --wait=false`)
    expectError(await run.ended, /it was deleted/, { within: 20_000 })
  })

  test('deleted by force', async () => {
    const label = 'e2e=forced'
    const run = here.start(`exec kuberun -l ${label} 'echo up; exec sleep 300'`)
    await isUp(run)
    await kubectl(`delete pod -n ${here.namespace} -l ${label} --force --grace-period=0`)
    expectError(await run.ended, /it was deleted|was cut/, { within: 40_000 })
  })

  test('evicted by a drain', { skip: needsCluster('evictions by request') }, async () => {
    const label = 'e2e=evicted'
    const run = here.start(`exec kuberun -l ${label} ${trapping('TERM')}`)
    await isUp(run)
    const name = await podOf(label)
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: here.namespace } }
    await kubectl(`create --raw /api/v1/namespaces/${here.namespace}/pods/${name}/eviction -f -`, {
      input: JSON.stringify(eviction),
    })
    const ended = await run.ended
    expectError(ended, /it was (evicted|deleted)/, { within: 20_000 })
    assert.equal(ended.stdout, 'up\ngot TERM\n')
  })

  test('--deadline has passed', async () => {
    const ended = await here.sh(`kuberun --deadline 4s 'echo up; exec sleep 300'`)
    expectError(ended, /its deadline of 4 s has passed/, { within: 60_000 })
    assert.equal(ended.stdout, 'up\n')
  })

  test('process 1 of the container was killed by the command', { skip: inChroots }, async () => {
    const ended = await here.sh(`kuberun 'echo up; kill -TERM 1; sleep 100'`)
    expectError(ended, /./, { within: 60_000 })
  })

  test('out of memory: 137, and the limit', { skip: memory }, async (t) => {
    if (!(await has(t, here, images.debian))) return
    const ended = await here.sh(`kuberun --image ${images.debian} --limits=memory=20Mi -- tail -n 1 /dev/zero`)
    expect(ended, { code: 137, stdout: '', stderr: /memory \(limit 20Mi\)/ })
  })

  test('out of memory in a shell’s child, with the default image', { skip: memory }, async () => {
    const ended = await here.sh(
      `kuberun --limits=memory=20Mi 'x=$(head -c 100000000 /dev/zero | tr "\\0" x); echo \${#x}'`,
    )
    expect(ended, { code: 137, stdout: '', stderr: /memory \(limit 20Mi\)/ })
  })

  test('out of memory on request', { skip: faults }, async () => {
    const fault = '--annotations sandbox.kuberun/fault=out-of-memory=5s'
    const ended = await here.sh(`kuberun --limits=memory=20Mi ${fault} 'echo up; exec sleep 300'`)
    expect(ended, { code: 137, stdout: 'up\n', stderr: /memory \(limit 20Mi\)/ })
  })

  test('evicted by its node, on request', { skip: faults }, async () => {
    const ended = await here.sh(`kuberun --annotations sandbox.kuberun/fault=evicted=5s 'echo up; exec sleep 300'`)
    expectError(ended, /it was evicted: The node was low on resource: memory/, { within: 20_000 })
    assert.equal(ended.stdout, 'up\n')
  })

  test('a stream that is cut, on request', { skip: faults }, async () => {
    const ended = await here.sh(`kuberun --annotations sandbox.kuberun/fault=cut-after=100000 seq 1 1000000`)
    expectError(ended, /was cut|lost/, { within: 20_000 })
  })

  test('a kill -9 under a limit is not taken for want of memory', async () => {
    const ended = await here.sh(`kuberun --limits memory=64Mi -- sh -c 'kill -9 $$'`)
    expect(ended, { code: 137 })
    assert.doesNotMatch(ended.stderr, /memory/)
  })
})

describe('output that cannot be written here', { concurrency: 3, timeout: 120_000 }, () => {
  for (const command of ['seq 1 1000000', 'yes']) {
    test(`a reader that leaves: ${command} | head -1`, async () => {
      const label = `e2e=${command.split(' ')[0]}`
      const ended = await here.sh(`kubectl kuberun -l ${label} -- ${command} | head -1; echo "\${PIPESTATUS[0]}"`)
      expectError(ended, /^error: stdout was closed by its reader/, { code: 0, within: 20_000 })
      assert.match(ended.stdout, /^(1|y)\n125\n$/)
      await isGone(label)
    })
  }

  test('a reader that leaves a command which prints nothing more', async () => {
    const ended = await here.sh(`kuberun 'echo 1; sleep 1; echo 2; sleep 300' | head -1; echo "\${PIPESTATUS[0]}"`)
    expect(ended, { code: 0, stdout: '1\n125\n' })
    assert.ok(ended.milliseconds < 20_000, `took ${ended.milliseconds} ms`)
  })

  test('a full disk', async () => {
    const ended = await here.sh('kuberun echo hi >/dev/full')
    expectError(ended, /^error: cannot write stdout: .*ENOSPC/, { within: 20_000 })
  })

  test('a full disk, and much to write', async () => {
    const ended = await here.sh('kuberun -l e2e=full seq 1 1000000 >/dev/full')
    expectError(ended, /^error: cannot write stdout: .*ENOSPC/, { within: 20_000 })
    await isGone('e2e=full')
  })

  test('a full disk for stderr', async () => {
    const ended = await here.sh(`kuberun 'echo out; echo err >&2' 2>/dev/full`)
    // Which of the two comes first is open.
    expect(ended, { code: 125, stdout: /^(out\n)?$/ })
  })

  test('a closed stdout is an error', async () => {
    const ended = await here.sh('kuberun echo hi >&-')
    expectError(ended, /^error: cannot write stdout: it is closed/, { within: 10_000 })
  })

  test('a closed stderr is one that nobody reads', async () => {
    expect(await here.sh(`kuberun 'echo out; echo err >&2; exit 3' 2>&-`), { code: 3, stdout: 'out\n', stderr: '' })
  })

  test('a closed stdin is an empty one', async () => {
    expect(await here.sh('kuberun cat <&-'), { code: 0, stdout: '', stderr: '' })
  })

  test('a folder for stdin is an error', async () => {
    const ended = await here.sh('kuberun cat </')
    expectError(ended, /^error: cannot read stdin: EISDIR: it is a folder/, { within: 10_000 })
    assert.equal(ended.stdout, '')
  })

  test('a command that does not read its stdin', async () => {
    const ended = await here.sh('head -c 50000000 /dev/zero | kuberun echo hi')
    expect(ended, { code: 0, stdout: 'hi\n', stderr: '' })
  })

  test('a command that closes its stdin and goes on', async () => {
    const ended = await here.sh(`head -c 50000000 /dev/zero | kuberun 'head -c 5 | wc -c; exec <&-; sleep 1; echo on'`)
    expect(ended, { code: 0, stdout: '5\non\n', stderr: '' })
  })
})
