import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { checkLocalRoot } from '../../src/sync/local/local-root.ts'
import { temporaryFolder } from '../support/trees.ts'

const asRoot = process.getuid?.() === 0 && 'root may read everything'

test('a local root is an absolute path without links', async () => {
  await using folder = await temporaryFolder()
  const path = realpathSync(folder.path)
  mkdirSync(join(path, 'a'))
  symlinkSync('a', join(path, 'link'))
  assert.equal(await checkLocalRoot(join(path, 'a')), join(path, 'a'))
  assert.equal(await checkLocalRoot(join(path, 'link/')), join(path, 'a'))
  assert.equal(await checkLocalRoot(relative(process.cwd(), path)), path)
  assert.equal(await checkLocalRoot('.'), realpathSync('.'))
})

test('a local root that is missing, a file or no path is a mistake in one sentence', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  writeFileSync(at('file'), '')
  symlinkSync('nowhere', at('broken'))
  symlinkSync('circle', at('circle'))
  const rows = [
    [at('none'), `there is no folder "${at('none')}"`],
    [at('broken'), `there is no folder "${at('broken')}"`],
    [at('file/a'), `there is no folder "${at('file/a')}"`],
    [at('file'), `"${at('file')}" is no folder`],
    [at('circle'), `cannot read the folder "${at('circle')}": its links lead in a circle`],
    ['a'.repeat(5_000), `cannot read the folder "${'a'.repeat(5_000)}": ENAMETOOLONG`],
  ] as const
  for (const [dir, message] of rows) {
    await assert.rejects(checkLocalRoot(dir), { name: 'UsageError', code: 'usage', message })
  }
})

test('a local root whose path is not UTF-8 is refused', { skip: process.platform !== 'linux' }, async () => {
  await using folder = await temporaryFolder()
  mkdirSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xe9])]))
  symlinkSync(Buffer.from([0xe9]), join(folder.path, 'link'))
  await assert.rejects(checkLocalRoot(join(folder.path, 'link')), { name: 'UsageError', message: /is not UTF-8/ })
})

test('a local root that may not be read or searched is refused', { skip: asRoot }, async () => {
  await using folder = await temporaryFolder()
  for (const mode of [0o000, 0o400, 0o100]) {
    chmodSync(folder.path, mode)
    await assert.rejects(checkLocalRoot(folder.path), { name: 'UsageError', message: /: permission denied$/ })
  }
  chmodSync(folder.path, 0o700)
})
