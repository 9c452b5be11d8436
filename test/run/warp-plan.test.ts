import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { load } from 'js-yaml'
import type { RunOptions } from '../../src/options.ts'
import { warpPlan } from '../../src/run/warp-plan.ts'
import { runOptions } from '../support/run-options.ts'
import { temporaryFolder } from '../support/trees.ts'

function warpOptions(dir: string, command: readonly string[] = ['true']): RunOptions {
  const rules = { exclude: ['*.o'], include: [], ignore: true }
  const sync = { dir, remoteDir: '/workspace', maxUpload: 1, once: false, strict: false, ...rules }
  return runOptions(command, { program: 'warp', sync })
}

test('a plan is a table, or the same in JSON and in YAML', async () => {
  await using root = await temporaryFolder()
  mkdirSync(join(root.path, 'a'))
  for (const file of ['a/b', 'a/c.o']) writeFileSync(join(root.path, file), '12')
  const options = warpOptions(root.path)
  assert.match(await warpPlan(options), /^out +2 B {2}a\/c\.o {2}--exclude \*\.o$/m)
  const json: unknown = JSON.parse(await warpPlan(options, { format: 'json' }))
  assert.deepEqual(json, {
    root: root.path,
    entries: [
      { answer: 'in', path: 'a', type: 'folder', reason: 'not ignored' },
      { answer: 'in', path: 'a/b', type: 'file', size: 2, reason: 'not ignored' },
      { answer: 'out', path: 'a/c.o', type: 'file', size: 2, reason: '--exclude *.o' },
    ],
    totals: { files: 1, folders: 1, links: 0, bytes: 2 },
    largest: { files: [{ path: 'a/b', size: 2 }], folders: [{ path: 'a', size: 2 }] },
  })
  assert.deepEqual(load(await warpPlan(options, { format: 'yaml' })), json)
})

test('mistakes are found before the folder is looked at', async () => {
  const nowhere = join('/', 'nothing', 'there')
  await assert.rejects(warpPlan(warpOptions(nowhere, [])), { code: 'usage', message: 'no command given' })
  await assert.rejects(warpPlan(runOptions(['true'])), { code: 'usage', message: 'there is no folder to plan for' })
  await assert.rejects(warpPlan(warpOptions(nowhere)), { code: 'usage', message: /there is no folder/ })
})
