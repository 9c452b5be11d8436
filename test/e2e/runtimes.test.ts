import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { searchPath } from '../support/environment.ts'
import { variant } from './support/account.ts'
import { places } from './support/place.ts'
import { bin, expect, expectError, root, sh } from './support/programs.ts'

const { here } = await places({ here: {} })
const untrusted = variant(here, 'untrusted', ({ clusters }) => {
  for (const { cluster } of clusters) delete cluster['certificate-authority-data']
})
const bundle = resolve(dirname(bin), 'kuberun.js')

describe('the bundle under Bun', { timeout: 120_000 }, () => {
  const bun = `${join(root, 'node_modules/.bin/bun')} ${bundle}`

  test('a run', async () => {
    expect(await here.sh(`${bun} echo hi`), { code: 0, stdout: 'hi\n', stderr: '' })
    expect(await here.sh(`echo data | ${bun} -- sh -c 'cat; exit 3'`), { code: 3, stdout: 'data\n', stderr: '' })
    expect(await here.sh(`head -c 10000000 /dev/zero | ${bun} cat | wc -c`), { code: 0, stdout: '10000000\n' })
  })

  test('a certificate that is not trusted', async () => {
    expectError(await untrusted.sh(`${bun} true`), /certificate/, { within: 10_000 })
  })
})

describe('the programs under the oldest Node that they take', { timeout: 300_000 }, () => {
  test('a run', async (t) => {
    const path = await oldestNode(t)
    if (path === undefined) return
    const env = { PATH: `${path}:${searchPath}` }
    expect(await here.sh('node --version', { env }), { stdout: /^v22\.22\./ })
    expect(await here.sh(`${bin}/kuberun echo hi`, { env }), { code: 0, stdout: 'hi\n', stderr: '' })
    expect(await here.sh(`echo data | ${bin}/kuberun -- sh -c 'cat; exit 3'`, { env }), { code: 3, stdout: 'data\n' })
  })

  test('a certificate that is not trusted', async (t) => {
    const path = await oldestNode(t)
    if (path === undefined) return
    const env = { PATH: `${path}:${searchPath}` }
    expectError(await untrusted.sh(`${bin}/kuberun true`, { env }), /certificate/, { within: 10_000 })
  })
})

let installing: Promise<string | undefined> | undefined

/** The folder of a Node 22.22, installed once from npm and kept in the cache. */
async function oldestNode(context: TestContext): Promise<string | undefined> {
  installing ??= install()
  const path = await installing
  // The registry has no build of it for every platform; where it has one, the test runs.
  if (path === undefined) context.skip(`no Node 22.22 can be had for ${process.platform} ${process.arch}`)
  return path
}

async function install(): Promise<string | undefined> {
  const name = `node-${process.platform}-${process.arch}`
  const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kuberun-e2e', 'node-22.22')
  const folder = join(home, 'node_modules', name, 'bin')
  if (existsSync(join(folder, 'node'))) return folder
  mkdirSync(home, { recursive: true })
  const ended = await sh(`npm install --prefix '${home}' --no-save --no-audit --no-fund ${name}@~22.22.0`, {
    timeout: 180_000,
  })
  return ended.code === 0 && existsSync(join(folder, 'node')) ? folder : undefined
}
