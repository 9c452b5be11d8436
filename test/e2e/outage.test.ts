import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { full } from '../support/full.ts'
import { ApiServer } from './support/cluster.ts'
import { nothingLeft, places } from './support/place.ts'
import { expect, expectError } from './support/programs.ts'
import { until } from './support/wait.ts'

const { here } = await places({ here: {} })
const server = await ApiServer.find()
const elsewhere = server instanceof ApiServer ? false : server

describe('an API server', { timeout: 300_000, skip: elsewhere }, () => {
  for (const outage of ['is back after a moment', 'stays away'] as const) {
    const skip = outage === 'stays away' && !full && 'takes minutes: KUBERUN_TEST_FULL=1 runs it'

    test(`that is killed while commands run, and ${outage}`, { skip }, async (t) => {
      assert.ok(server instanceof ApiServer)
      {
        await using _back = server
        const commands = [
          'kubectl kuberun "echo up; sleep 60"',
          'kuberun "echo up; cat" < <(exec sleep 60 2>/dev/null)',
        ]
        const runs = commands.map((command) => here.start(`exec ${command}`))
        const waiting = here.start('exec kuberun --node-selector no=where --pod-running-timeout 30s true')
        await Promise.all(runs.map((run) => until('the command', () => run.stdout() === 'up\n')))
        await until('the pod', () => waiting.stderr().includes('cannot be scheduled'))

        const begin = performance.now()
        await server.kill()
        const refused = await here.sh('kubectl kuberun true')
        expectError(refused, /cannot reach the API server .*refused/, { within: 10_000 })
        expect(refused, { stdout: '' })
        if (outage === 'is back after a moment') await server.start()

        const ended = await Promise.all(runs.map((run) => run.ended))
        for (const each of ended) expectError(each, /connection to the API server lost/)
        const took = Math.round(performance.now() - begin)
        t.diagnostic(`told after ${took} ms`)
        assert.ok(took < 30_000, `took ${took} ms`)

        await server.start()
        // It goes on waiting; what it hears of its pod meanwhile may be that it cannot be scheduled, or nothing.
        expectError(await waiting.ended, /did not start within 30 s|API server/)
      }
      await nothingLeft([here.namespace], 120_000)
      expect(await here.sh('kuberun echo hi'), { code: 0, stdout: 'hi\n', stderr: '' })
    })
  }
})
