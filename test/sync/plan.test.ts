import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { suite, test } from 'node:test'
import type { SyncOptions } from '../../src/options.ts'
import { openLocalRoot } from '../../src/sync/local/open-root.ts'
import { takeSnapshot } from '../../src/sync/local/snapshot.ts'
import { planUpload, type UploadPlan } from '../../src/sync/plan/plan.ts'
import { listPlan } from '../../src/sync/plan/plan-entries.ts'
import { git, temporaryFolder, withoutGitConfig } from '../support/git.ts'
import { bytesOf, temporaryFolder as disposableFolder } from '../support/trees.ts'

const asRoot = process.getuid?.() === 0 && 'root may read everything'
const home = temporaryFolder()
withoutGitConfig(home)

/** A repository with these files in it; a name with a slash at its end is a folder. */
function repository(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(home, 'tree-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(join(root, path), text)
  }
  git(root, ['init', '-q'])
  return root
}

function sync(dir: string, setup: Partial<SyncOptions> = {}): SyncOptions {
  const rules = { exclude: [], include: [], ignore: true }
  return { dir, remoteDir: '/workspace', maxUpload: 1, once: false, strict: false, ...rules, ...setup }
}

/** A line for each path of the plan but `.git`. */
function lines({ entries }: UploadPlan): string[] {
  return entries
    .filter(({ path }) => path !== '.git')
    .map(({ answer, type, path, size, reason }) => `${answer} ${type} ${path} ${size ?? '-'} (${reason})`)
}

suite('the plan of an upload', () => {
  test('says of each path whether it goes, what it is and why', async () => {
    const root = repository({
      '.gitignore': '*.log\n!keep.log\n/node_modules/\n',
      '.warpignore': 'docs',
      'a.log': '12345',
      'docs/a': '',
      'keep.log': '123',
      'node_modules/a/b': '',
      'node_modules/c': '',
      'src/.gitignore': 'out.*',
      'src/main.o': '1',
      'src/main.ts': '12',
      'src/out.js': '1234',
    })
    symlinkSync('main.ts', join(root, 'src/link'))
    symlinkSync('nothing', join(root, 'src/out.link'))
    const plan = await planUpload(sync(root, { exclude: ['*.o'] }))
    assert.equal(plan.root, root)
    assert.deepEqual(lines(plan), [
      'in file .gitignore 31 (not ignored)',
      'in file .warpignore 4 (not ignored)',
      'out file a.log 5 (.gitignore:1: *.log)',
      'out folder docs - (.warpignore:1: docs)',
      'in file keep.log 3 (.gitignore:2: !keep.log)',
      'out folder node_modules - (.gitignore:3: /node_modules/)',
      'in folder src - (not ignored)',
      'in file src/.gitignore 5 (not ignored)',
      'in link src/link - (not ignored)',
      'out file src/main.o 1 (--exclude *.o)',
      'in file src/main.ts 2 (not ignored)',
      'out file src/out.js 4 (src/.gitignore:1: out.*)',
      'out link src/out.link - (src/.gitignore:1: out.*)',
    ])
    assert.deepEqual(plan.totals, { files: 5, folders: 1, links: 1, bytes: 45 })
    assert.deepEqual(
      plan.entries.find(({ path }) => path === '.git'),
      { answer: 'out', type: 'folder', path: '.git', reason: '.git' },
    )
  })

  test('has in it exactly what the snapshot has', async () => {
    const root = repository({
      '.gitignore': 'x*\n',
      'a/x1/b': '',
      'a/y/x2': '',
      'b/c/d/e': '',
      'b/c/d/x3': '',
      'empty/': '',
      'x4/tracked': '',
    })
    git(root, ['add', '-f', 'x4/tracked'])
    for (const include of [[], ['e', 'tracked'], ['/b/c/'], ['nothing']]) {
      const options = sync(root, { include })
      const { path, filter } = await openLocalRoot(options)
      const { entries } = await takeSnapshot(path, filter)
      const plan = await planUpload(options)
      const going = plan.entries.filter(({ answer }) => answer === 'in').map((entry) => entry.path)
      assert.deepEqual(going, [...entries.keys()], include.join(' '))
    }
  })

  test('has one row for a folder in which nothing is included', async () => {
    const root = repository({ 'a/b/c.js': '', 'a/d.js': '', 'e/f/g.js': '', 'e/h.ts': '', 'i/': '' })
    assert.deepEqual(lines(await planUpload(sync(root, { include: ['*.ts'] }))), [
      'out folder a - (not in --include)',
      'in folder e - (something in it goes)',
      'out folder e/f - (not in --include)',
      'in file e/h.ts 0 (--include *.ts)',
      'out folder i - (not in --include)',
    ])
  })

  test('has the reasons in a folder where they are others than its own', async () => {
    const root = repository({ '.gitignore': '*.log.ts', 'a/b.js': '', 'a/c.log.ts': '' })
    const plan = await planUpload(sync(root, { include: ['*.ts'] }))
    assert.deepEqual(lines(plan).slice(1), [
      'out folder a - (nothing in it goes)',
      'out file a/b.js 0 (not in --include)',
      'out file a/c.log.ts 0 (.gitignore:1: *.log.ts)',
    ])
  })

  test('has what is sent in spite of an ignored folder', async () => {
    const root = repository({ '.gitignore': 'build/', 'build/made': '', 'build/tracked': '1' })
    git(root, ['add', '-f', 'build/tracked'])
    assert.deepEqual(lines(await planUpload(sync(root))).slice(1), [
      'in folder build - (something in it goes)',
      'out file build/made 0 (.gitignore:1: build/)',
      'in file build/tracked 1 (tracked by git, in spite of .gitignore:1: build/)',
    ])
  })

  test('says what cannot be sent, and nothing of it where it stays here anyway', async () => {
    const root = repository({ 'a/': '', 'b/': '' })
    execFileSync('mkfifo', [join(root, 'a/fifo'), join(root, 'b/fifo')])
    // The path of a socket must be short.
    await using short = await disposableFolder()
    symlinkSync(root, join(short.path, 'root'))
    const server = createServer().listen(join(short.path, 'root/a/socket'))
    try {
      const plan = await planUpload(sync(root, { exclude: ['/b/fifo'] }))
      assert.deepEqual(lines(plan), [
        'in folder a - (not ignored)',
        'skipped other a/fifo - (a FIFO)',
        'skipped other a/socket - (a socket)',
        'in folder b - (not ignored)',
        'out other b/fifo - (--exclude /b/fifo)',
      ])
      assert.deepEqual(plan.totals, { files: 0, folders: 2, links: 0, bytes: 0 })
    } finally {
      server.close()
    }
  })

  test('says what nobody may read, and counts it not', { skip: asRoot }, async () => {
    await using root = await disposableFolder()
    mkdirSync(join(root.path, 'closed'))
    mkdirSync(join(root.path, 'nameless'))
    for (const file of ['closed/a', 'nameless/b', 'secret']) writeFileSync(join(root.path, file), 'x')
    chmodSync(join(root.path, 'closed'), 0)
    chmodSync(join(root.path, 'nameless'), 0o400)
    chmodSync(join(root.path, 'secret'), 0)
    const plan = await planUpload(sync(root.path))
    assert.deepEqual(lines(plan), [
      'in folder closed - (not ignored)',
      'skipped folder closed - (cannot be read: EACCES)',
      'in folder nameless - (not ignored)',
      'skipped other nameless/b - (cannot be read: EACCES)',
      'skipped file secret - (cannot be read: EACCES)',
    ])
    assert.deepEqual(plan.totals, { files: 0, folders: 2, links: 0, bytes: 0 })
  })

  test('has names that are not UTF-8', async () => {
    const root = repository({})
    for (const name of ['/in\xff', '/out\xfe']) {
      writeFileSync(Buffer.concat([Buffer.from(root), bytesOf(name)]), '12')
    }
    assert.deepEqual(lines(await planUpload(sync(root, { exclude: ['out*'] }))), [
      'in file in\udcff 2 (not ignored)',
      'out file out\udcfe 2 (--exclude out*)',
    ])
  })

  test('takes a folder by a relative path, and by a link', async () => {
    const root = repository({ a: '' })
    symlinkSync(root, `${root}-link`)
    const byWay = await planUpload(sync(relative(process.cwd(), root)))
    assert.deepEqual([byWay.root, lines(byWay)], [root, ['in file a 0 (not ignored)']])
    assert.deepEqual(lines(await planUpload(sync(`${root}-link/`))), ['in file a 0 (not ignored)'])
  })

  test('of what is no folder fails with its path', async () => {
    const root = repository({ file: '' })
    const [nothing, file] = [join(root, 'nothing'), join(root, 'file')]
    await assert.rejects(planUpload(sync(nothing)), { code: 'usage', message: `there is no folder "${nothing}"` })
    await assert.rejects(planUpload(sync(file)), { code: 'usage', message: `"${file}" is no folder` })
  })

  test('ends with the reason of the signal', async () => {
    const reason = new Error('enough')
    const root = repository({ a: '' })
    await assert.rejects(planUpload(sync(root), { signal: AbortSignal.abort(reason) }), reason)
  })
})

test('what vanishes while it is walked is in no plan', () => {
  const [goes, walks] = (['in', 'walk'] as const).map((answer) => ({ answer, reason: '', isFolder: true }))
  assert.ok(goes && walks)
  const names = new Map([
    ['a', goes],
    ['b', walks],
  ])
  const snapshot = { entries: new Map(), folders: new Map(), rules: new Map(), skipped: [] }
  assert.deepEqual(listPlan(snapshot, new Map([['', names]])), [])
})
