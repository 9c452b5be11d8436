import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts'
import { cleanEnvironment } from './support/environment.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** What stands under a heading, up to the next one. */
function section(title: string): string {
  const [, text] = readme.split(`\n## ${title}\n`)
  assert.ok(text !== undefined, `README.md has no section "${title}"`)
  return text.split('\n## ')[0] ?? ''
}

const examples = [...section('Eleven examples').matchAll(/^```sh\n(.*?)^```\n\n^```text\n(.*?)^```$/gms)].map(
  ([, script = '', output = '']) => ({ script, output }),
)

describe("README's examples", () => {
  let sandbox: Sandbox
  let folder: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kuberun-readme-'))
    sandbox = await startSandbox()
  })

  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('they are eleven', () => {
    assert.equal(examples.length, 11)
    assert.equal(section('Eleven examples').match(/^```sh$/gm)?.length, 11)
  })

  for (const { script, output } of examples) {
    test(`it prints what it says: ${script.split('\n')[0]}`, { timeout: 60_000 }, async () => {
      const env = cleanEnvironment(folder, { KUBECONFIG: sandbox.kubeconfig })
      const path = [join(root, 'dist/bin'), env['PATH']].join(delimiter)
      const ended = promisify(execFile)('bash', ['-c', script], { cwd: folder, env: { ...env, PATH: path } })
      ended.child.stdin?.end()
      assert.equal((await ended).stdout, output)
    })
  }
})

test('every document that README links to is there, and every heading', () => {
  for (const [, target = ''] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith('http')) continue
    if (!target.startsWith('#')) assert.ok(existsSync(join(root, target)), `${target} is missing`)
    else assert.match(readme, new RegExp(`^## ${target.slice(1).replaceAll('-', '[ -]')}$`, 'im'))
  }
})
