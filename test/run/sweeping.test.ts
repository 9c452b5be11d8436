import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { runOn } from '../support/scripted-run.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

test('a sweep that takes long does not hold up the deletion of a pod that cannot start', {
  timeout: 30_000,
}, async () => {
  await using server = await ScriptedServer.start()
  const ends: string[] = []
  server.answers['list pods'] = (_seen, response) => {
    response.once('close', () => ends.push('sweep'))
  }
  server.answers['delete pod'] = (_seen, _response, _request, usual) => {
    ends.push('pod')
    return usual()
  }
  server.life = (pod) => {
    pod.schedule()
    pod.state({ waiting: { reason: 'InvalidImageName', message: 'no such name' } })
  }
  const { error } = await runOn(server, ['true'])
  assert.ok(error instanceof KuberunError && error.code === 'pod')
  assert.equal(ends[0], 'pod')
})
