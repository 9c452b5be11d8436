import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openFilter } from '../../src/sync/rules/filter.ts'
import { git, temporaryFolder, withoutGitConfig } from '../support/git.ts'
import { sent, verdicts } from '../support/sent.ts'

const home = temporaryFolder()
withoutGitConfig(home)

/** A folder with these files in it; a name with a slash at its end is a folder. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(home, 'tree-'))
  add(root, files)
  return root
}

function add(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(join(root, path), text)
  }
}

function repository(files: Readonly<Record<string, string>>): string {
  const root = tree(files)
  git(root, ['init', '-q'])
  return root
}

/** The files that go, without the rules files. */
async function plain(root: string, options?: Parameters<typeof sent>[1]): Promise<string[]> {
  return (await sent(root, options)).filter((path) => !/\.(?:git|warp)ignore$/.test(path))
}

/** With other values in the environment, as long as `task` runs. */
async function withEnvironment<T>(extra: NodeJS.ProcessEnv, task: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, extra)
  try {
    return await task()
  } finally {
    for (const name of Object.keys(extra)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

const noGit = { PATH: '/nonexistent' }

for (const [how, environment] of [
  ['with git', {}],
  ['without a git program', noGit],
] as const) {
  test(`nested rules, info/exclude and the default core.excludesFile count ${how}`, async () => {
    const root = repository({
      '.gitignore': '*.log\n/out/',
      'out/a': '',
      'a.log': '',
      'sub/.gitignore': '!a.log',
      'sub/a.log': '',
      'sub/b.log': '',
    })
    add(root, { 'local.txt': '', 'x.swp': '', 'keep.swp': '', '.git/info/exclude': 'local.txt\n!keep.swp' })
    add(home, { '.config/git/ignore': '*.swp' })
    await withEnvironment(environment, async () => {
      assert.deepEqual(await plain(root), ['keep.swp', 'sub/a.log'])
      const all = await verdicts(root)
      assert.deepEqual(all.get('a.log'), { answer: 'out', reason: '.gitignore:1: *.log' })
      assert.deepEqual(all.get('sub/a.log'), { answer: 'in', reason: 'sub/.gitignore:1: !a.log' })
      assert.deepEqual(all.get('out/'), { answer: 'out', reason: '.gitignore:2: /out/' })
      assert.deepEqual(all.get('local.txt'), { answer: 'out', reason: '.git/info/exclude:1: local.txt' })
      assert.deepEqual(all.get('x.swp'), { answer: 'out', reason: `${home}/.config/git/ignore:1: *.swp` })
      assert.deepEqual(all.get('sub/'), { answer: 'in', reason: 'not ignored' })
    })
    rmSync(join(home, '.config'), { recursive: true })
  })

  test(`in a folder of a repository the rules above it count, up to the top ${how}`, async () => {
    const root = tree({ '.gitignore': '*.ts' })
    add(root, { 'repo/.gitignore': '*.log\n/sub/src/*.tmp', 'repo/sub/.gitignore': '/src/x', 'repo/sub/src/x': '' })
    add(root, {
      'repo/sub/src/a.log': '',
      'repo/sub/src/a.tmp': '',
      'repo/sub/src/a.ts': '',
      'repo/sub/src/d/b.tmp': '',
    })
    git(join(root, 'repo'), ['init', '-q'])
    add(root, { 'repo/.git/info/exclude': 'sub/src/d/b.tmp' })
    await withEnvironment(environment, async () => {
      const all = await verdicts(join(root, 'repo/sub/src'))
      assert.deepEqual(
        [...all]
          .filter(([, { answer }]) => answer === 'in')
          .map(([path]) => path)
          .toSorted(),
        ['a.ts', 'd/'],
      )
      assert.equal(all.get('x')?.reason, '../.gitignore:1: /src/x')
      assert.equal(all.get('a.tmp')?.reason, '../../.gitignore:2: /sub/src/*.tmp')
    })
  })

  test(`a root that its own repository ignores was asked for: it goes ${how}`, async () => {
    const root = repository({ '.gitignore': 'build/\n*.o', 'build/a.js': '', 'build/a.o': '', 'build/sub/b.js': '' })
    await withEnvironment(environment, async () => {
      assert.deepEqual(await plain(join(root, 'build')), ['a.js', 'sub/b.js'])
    })
  })

  test(`a linked work tree has the info/exclude of the main one ${how}`, async () => {
    const root = repository({ 'a.txt': '' })
    git(root, ['-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-q', '--allow-empty', '-m', 'a'])
    const linked = join(tree({}), 'linked')
    git(root, ['worktree', 'add', '-q', linked])
    add(root, { '.git/info/exclude': '*.log' })
    add(linked, { 'a.log': '', 'a.c': '' })
    await withEnvironment(environment, async () => assert.deepEqual(await plain(linked), ['a.c']))
  })

  test(`a repository in a repository has rules of its own only ${how}`, async () => {
    const root = repository({
      '.gitignore': '*.log\nignored/',
      'in/.gitignore': '*.tmp',
      'in/a.log': '',
      'in/a.tmp': '',
      'ignored/a': '',
    })
    for (const inner of ['in', 'ignored']) git(join(root, inner), ['init', '-q'])
    add(root, { 'in/.git/info/exclude': '*.o', 'in/a.o': '', 'in/sub/b.log': '', 'in/sub/b.tmp': '' })
    await withEnvironment(environment, async () => assert.deepEqual(await plain(root), ['in/a.log', 'in/sub/b.log']))
  })

  test(`a root that is no repository has the rules that are in it ${how}`, async () => {
    const root = tree({
      '.gitignore': '*.ts',
      'sub/.gitignore': '*.log',
      'sub/a.log': '',
      'sub/a.ts': '',
      'sub/.git/': '',
    })
    await withEnvironment(environment, async () => assert.deepEqual(await plain(join(root, 'sub')), ['a.ts']))
  })
}

test('core.excludesFile counts, and where it is empty there is none', async () => {
  const root = repository({ 'a.one': '', 'a.two': '', 'rules/one': '*.one' })
  add(home, { '.config/git/ignore': '*.two', 'two.rules': '*.two' })
  assert.deepEqual(await plain(root), ['a.one', 'rules/one'])
  git(root, ['config', 'core.excludesFile', 'rules/one'])
  assert.deepEqual(await plain(root), ['a.two', 'rules/one'])
  git(root, ['config', 'core.excludesFile', '~/two.rules'])
  assert.deepEqual(await plain(root), ['a.one', 'rules/one'])
  git(root, ['config', 'core.excludesFile', ''])
  assert.deepEqual(await plain(root), ['a.one', 'a.two', 'rules/one'])
  rmSync(join(home, '.config'), { recursive: true })
})

test('$XDG_CONFIG_HOME is where rules for all repositories are', async () => {
  const root = repository({ 'a.one': '', 'a.two': '' })
  const config = tree({ 'git/ignore': '*.one' })
  for (const environment of [{}, noGit]) {
    await withEnvironment({ XDG_CONFIG_HOME: config, ...environment }, async () => {
      assert.deepEqual(await plain(root), ['a.two'])
    })
  }
})

test('with core.ignoreCase names match in either case, and .GIT is .git', async () => {
  const root = repository({
    '.gitignore': 'Build/\n*.LOG',
    'build/a': '',
    'a.log': '',
    'b.Log': '',
    'a.txt': '',
    '.GIT/a': '',
  })
  git(root, ['config', 'core.ignoreCase', 'true'])
  assert.deepEqual(await plain(root, { exclude: ['A.TXT'] }), [])
  git(root, ['config', 'core.ignoreCase', 'false'])
  assert.deepEqual(await plain(root, { exclude: ['A.TXT'] }), ['.GIT/a', 'a.log', 'a.txt', 'b.Log', 'build/a'])
})

test('a file that git tracks goes in spite of the rules, and the folders above it for its sake alone', async () => {
  const root = repository({
    '.gitignore': 'build/\n*.log',
    'build/x/kept.js': '',
    'build/x/no.js': '',
    'build/y/no.js': '',
    'a.log': '',
  })
  git(root, ['add', '-f', 'build/x/kept.js', 'a.log'])
  const all = await verdicts(root)
  assert.deepEqual(await plain(root), ['a.log', 'build/x/kept.js'])
  assert.deepEqual(all.get('build/'), { answer: 'walk', reason: '.gitignore:1: build/' })
  assert.deepEqual(all.get('build/x/'), { answer: 'walk', reason: '.gitignore:1: build/' })
  assert.deepEqual(all.get('build/y/'), { answer: 'out', reason: '.gitignore:1: build/' })
  assert.equal(all.get('a.log')?.reason, 'tracked by git, in spite of .gitignore:2: *.log')
  assert.deepEqual(await plain(join(root, 'build')), ['x/kept.js', 'x/no.js', 'y/no.js'])
  assert.deepEqual(await plain(root, { exclude: ['kept.js'] }), ['a.log'])
})

test('a submodule that is tracked goes in spite of the rules', async () => {
  const root = repository({
    '.gitignore': 'sub',
    '.gitmodules': '[submodule "sub"]\n\tpath = sub\n',
    'sub/.gitignore': '*.log',
    'sub/a.log': '',
    'sub/a.c': '',
  })
  git(join(root, 'sub'), ['init', '-q'])
  git(join(root, 'sub'), [
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@example.com',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'a',
  ])
  assert.deepEqual(await plain(root), ['.gitmodules'])
  git(root, ['add', '-f', 'sub'])
  // As git has it after `git submodule add`: the repository is elsewhere, and ".git" a file.
  git(root, ['submodule', '-q', 'absorbgitdirs'])
  add(root, { '.git/modules/sub/info/exclude': '*.o', 'sub/a.o': '' })
  assert.deepEqual(await plain(root), ['.gitmodules', 'sub/a.c'])
})

test("a hook's environment says which repository the root is in, but not what those below it are", async () => {
  const root = repository({ 'a.log': '', 'sub/a.log': '', 'sub/b.log': '' })
  git(join(root, 'sub'), ['init', '-q'])
  add(root, { '.git/info/exclude': '*.log', 'sub/.git/info/exclude': 'b.log' })
  renameSync(join(root, '.git'), join(root, 'elsewhere'))
  await withEnvironment({ GIT_DIR: join(root, 'elsewhere'), GIT_WORK_TREE: root }, async () => {
    const files = (await plain(root)).filter((path) => !path.startsWith('elsewhere/'))
    assert.deepEqual(files, ['sub/a.log'])
  })
})

test('a symlink to a folder is no folder, and a root may be one', async () => {
  const root = repository({ '.gitignore': 'a/', 'real/b': '', 'sub/c.log': '', 'sub/c': '' })
  add(root, { '.git/info/exclude': '/sub/*.log' })
  symlinkSync('real', join(root, 'a'))
  assert.deepEqual(await plain(root), ['a', 'real/b', 'sub/c'])
  const link = join(tree({}), 'link')
  symlinkSync(join(root, 'sub'), link)
  assert.deepEqual(await plain(link), ['c'])
})

test('a .gitignore that is a symlink, a folder, a pipe or unreadable is none', {
  skip: process.platform === 'win32',
}, async () => {
  const root = repository({
    rules: '*.log',
    'one/a.log': '',
    'two/a.log': '',
    'two/.gitignore/': '',
    'three/a.log': '',
    'three/.gitignore': '*.log',
  })
  symlinkSync('../rules', join(root, 'one/.gitignore'))
  chmodSync(join(root, 'three/.gitignore'), 0)
  add(root, { 'four/a.log': '' })
  execFileSync('mkfifo', [join(root, 'four/.gitignore')])
  const unreadable = process.getuid?.() === 0 ? [] : ['three/a.log']
  assert.deepEqual(await plain(root), ['four/a.log', 'one/a.log', 'rules', ...unreadable, 'two/a.log'])
})

test(".warpignore is stronger than git's rules, in both directions", async () => {
  const root = repository({
    '.gitignore': 'dist/\n*.map',
    '.warpignore': '!dist/\n/docs/',
    'dist/a.js': '',
    'dist/a.map': '',
    'docs/a': '',
  })
  add(root, { 'sub/.warpignore': '*.png\n!b.map', 'sub/a.png': '', 'sub/b.map': '', 'a.png': '' })
  assert.deepEqual(await plain(root), ['a.png', 'dist/a.js', 'sub/b.map'])
  const all = await verdicts(root)
  assert.equal(all.get('dist/')?.reason, '.warpignore:1: !dist/')
  assert.equal(all.get('sub/a.png')?.reason, 'sub/.warpignore:1: *.png')
})

test('what is in a folder that stays out is not taken back in', async () => {
  const root = repository({ '.gitignore': 'dist/', '.warpignore': '!dist/a.js', 'dist/a.js': '', 'dist/b.js': '' })
  git(root, ['add', '-f', 'dist/b.js'])
  assert.deepEqual(await plain(root), ['dist/b.js'])
})

test('.warpignore counts in a repository below the root too', async () => {
  const root = repository({ '.warpignore': '*.png', 'sub/a.png': '', 'sub/b': '' })
  git(join(root, 'sub'), ['init', '-q'])
  assert.deepEqual(await plain(root), ['sub/b'])
})

test('a .warpignore that cannot be read is an error: it may say what must not go', async () => {
  const root = tree({ 'a.txt': '' })
  symlinkSync('.warpignore', join(root, '.warpignore'))
  await assert.rejects(plain(root), {
    name: 'KuberunError',
    code: 'local',
    message: /^cannot read .*\.warpignore": ELOOP$/,
  })
})

test('--exclude is stronger than every file, and in the root', async () => {
  const root = repository({ '.gitignore': '*.log', '.warpignore': '!a', a: '', 'a.log': '', 'sub/a': '', 'sub/b': '' })
  assert.deepEqual(await plain(root, { exclude: ['/a', '!*.log'] }), ['a.log', 'sub/a', 'sub/b'])
  assert.deepEqual((await verdicts(root, { exclude: ['sub/b'] })).get('sub/b'), {
    answer: 'out',
    reason: '--exclude sub/b',
  })
})

test('--include lets go what matches and what is below it, less what is ignored', async () => {
  const root = repository({
    '.gitignore': '*.log',
    'src/a.ts': '',
    'src/a.log': '',
    'src/deep/b.ts': '',
    'lib/c.ts': '',
    'lib/d.js': '',
    'e.md': '',
  })
  assert.deepEqual(await plain(root, { include: ['/src'] }), ['src/a.ts', 'src/deep/b.ts'])
  assert.deepEqual(await plain(root, { include: ['*.ts'] }), ['lib/c.ts', 'src/a.ts', 'src/deep/b.ts'])
  assert.deepEqual(await plain(root, { include: ['src/*.ts', 'lib/*.js'] }), ['lib/d.js', 'src/a.ts'])
  assert.deepEqual(await plain(root, { include: ['src', '!deep'] }), ['src/a.ts'])
  assert.deepEqual(await plain(root, { include: ['src', '!deep', 'b.ts'] }), ['src/a.ts', 'src/deep/b.ts'])
  const all = await verdicts(root, { include: ['/src/deep/*.ts'] })
  assert.deepEqual(all.get('src/'), { answer: 'walk', reason: 'not in --include' })
  assert.deepEqual(all.get('lib/'), { answer: 'out', reason: 'not in --include' })
  assert.deepEqual(all.get('src/a.ts'), { answer: 'out', reason: 'not in --include' })
  assert.deepEqual(all.get('src/deep/b.ts'), { answer: 'in', reason: '--include /src/deep/*.ts' })
})

test("--no-ignore knows neither git's rules nor .warpignore, but the other flags, and .git stays out", async () => {
  const root = repository({ '.gitignore': '*.log', '.warpignore': 'b', 'a.log': '', 'sub/b': '', c: '' })
  git(join(root, 'sub'), ['init', '-q'])
  assert.deepEqual(await plain(root, { ignore: false }), ['a.log', 'c', 'sub/b'])
  assert.deepEqual(await plain(root, { ignore: false, exclude: ['c'], include: ['c', 'b'] }), ['sub/b'])
})

test('.git and what we stage stay out in every folder, whatever the patterns say', async () => {
  const root = tree({
    '.git': 'gitdir: nowhere',
    '.kuberun-sync-1-a': '',
    'sub/.git/x': '',
    'sub/.kuberun-sync-1/x': '',
    'sub/.gitx': '',
  })
  assert.deepEqual(
    await sent(root, { exclude: ['!.git', '!.kuberun-sync-*'], include: ['*', '.git'], ignore: false }),
    ['sub/.gitx'],
  )
  const all = await verdicts(root)
  assert.deepEqual(all.get('sub/.git/'), { answer: 'out', reason: '.git' })
  assert.deepEqual(all.get('.kuberun-sync-1-a'), { answer: 'out', reason: '.kuberun-sync-*' })
})

test('ten thousand entries and a hundred rules take well under a second', async () => {
  const rules = Array.from({ length: 100 }, (_, at) => [`name${at}`, `*.x${at}`, `/top${at}/*.o`, `a?b${at}*`][at % 4])
  const filter = await openFilter(tree({ '.gitignore': rules.join('\n') }), new Set(['.gitignore']), {
    exclude: [],
    include: [],
    ignore: true,
  })
  const start = process.cpuUsage()
  for (let at = 0; at < 10_000; at++) assert.equal(filter.verdict(`file-${at}.ts`, false).answer, 'in')
  // In microseconds; wall time would be that of a busy machine's other work too.
  assert.ok(process.cpuUsage(start).user < 1_000_000)
})
