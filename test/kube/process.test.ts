import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { kubeconfigText, temporaryFolder } from '../support/kube-home.ts'
import { json, startKubeServer } from '../support/kube-server.ts'

const client = new URL('../../src/kube/client.ts', import.meta.url).href

test('an idle connection does not keep the process alive, even without close()', async () => {
  await using server = await startKubeServer(json(200, {}))
  await using folder = await temporaryFolder()
  const kubeconfig = await folder.file('config', kubeconfigText({ server: server.url }))
  const program = `
    const { openKubeClient } = await import(${JSON.stringify(client)})
    const client = await openKubeClient({ kubeconfig: ${JSON.stringify(kubeconfig)} })
    await client.request({ method: 'GET', path: '/api' })
    console.log('done')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 4_000,
  })
  assert.equal(stdout, 'done\n')
})

test('a request loads neither @kubernetes/client-node nor what it does not need', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
    await import(${JSON.stringify(client)})
    console.log(JSON.stringify(seen.filter((url) => url.includes('node_modules'))))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  assert.deepEqual(JSON.parse(stdout), [])
})
