import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { cleanEnvironment } from '../support/environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = join(root, 'dist/bin/kuberun')
const plugin = join(root, 'dist/bin/kubectl-kuberun')
const warp = join(root, 'dist/bin/kubectl-warp')
const kubewarp = join(root, 'dist/bin/kubewarp')
const biwarp = join(root, 'dist/bin/kubectl-biwarp')
const kubebiwarp = join(root, 'dist/bin/kubebiwarp')
const folder = mkdtempSync(join(tmpdir(), 'kuberun-test-'))
after(() => rmSync(folder, { recursive: true }))

/** Runs a built program with no cluster in reach. */
function run(path: string, words: readonly string[], env: Record<string, string> = {}) {
  return execa(path, words, { ...isolated(env), stdin: 'ignore' })
}

/** Runs a script whose `$0` is the program. */
function shell(script: string, env: Record<string, string> = {}) {
  return execa('sh', ['-c', script, program], isolated(env))
}

function isolated(extra: Record<string, string>) {
  const env = cleanEnvironment(folder, { KUBECONFIG: join(folder, 'none'), ...extra })
  return { env, extendEnv: false, reject: false } as const
}

test('help goes to stdout, exits 0 and says the name that was typed', async () => {
  const [own, asPlugin, short] = await Promise.all([
    run(program, ['--help']),
    run(plugin, ['-h']),
    run(program, ['-n', 'dev', '-ih', 'echo']),
  ])
  assert.equal(own.exitCode, 0)
  assert.equal(own.stderr, '')
  assert.match(own.stdout, /^USAGE\n {2}kuberun \[flags\] \[--\] COMMAND \[ARG\.\.\.\]\n/)
  assert.match(own.stdout, /\n {2}kuberun echo hello world\n/)
  assert.match(asPlugin.stdout, /^USAGE\n {2}kubectl kuberun \[flags\] \[--\] COMMAND \[ARG\.\.\.\]\n/)
  assert.match(asPlugin.stdout, /\n {2}kubectl kuberun echo hello world\n/)
  assert.equal(short.stdout, own.stdout)
})

test('warp and kubewarp have the flags of kuberun and those of the sync, which kuberun has not', async () => {
  const [own, asPlugin, short] = await Promise.all([program, warp, kubewarp].map((path) => run(path, ['--help'])))
  assert.match(asPlugin?.stdout ?? '', /^USAGE\n {2}kubectl warp \[flags\] \[--\] COMMAND \[ARG\.\.\.\]\n/)
  assert.match(asPlugin?.stdout ?? '', /\n {2}kubectl warp --plan\n/)
  assert.match(short?.stdout ?? '', /^USAGE\n {2}kubewarp \[flags\] \[--\] INCLUDE COMMAND \[ARG\.\.\.\]\n/)
  assert.match(short?.stdout ?? '', /\n {2}kubewarp --plan 'src\/\*\*'\n/)
  for (const help of [asPlugin, short])
    assert.match(help?.stdout ?? '', /\nSYNC FLAGS\n.*\nPOD FLAGS\n.*--image=IMAGE/s)
  assert.doesNotMatch(own?.stdout ?? '', /SYNC|--dir/)
  assert.match((await run(program, ['--dir=.', 'x'])).stderr, /^error: unknown flag: --dir\n/)
})

test('biwarp and kubebiwarp have the flags of warp and those of what comes back, which warp has not', async () => {
  const [own, asPlugin, short] = await Promise.all([warp, biwarp, kubebiwarp].map((path) => run(path, ['--help'])))
  assert.match(asPlugin?.stdout ?? '', /^USAGE\n {2}kubectl biwarp \[flags\] \[--\] COMMAND \[ARG\.\.\.\]\n/)
  assert.match(asPlugin?.stdout ?? '', /\n {2}kubectl biwarp --image=gcc:15 --return='build\/\*\*' -- make\n/)
  assert.match(short?.stdout ?? '', /^USAGE\n {2}kubebiwarp \[flags\] \[--\] INCLUDE COMMAND \[ARG\.\.\.\]\n/)
  // The line as it is typed, in one line, so that it can be copied.
  const line = 'seq 1 5 | xargs -P5 -I{} kubebiwarp "hello.{}.txt" "echo hello {} > hello.{}.txt"; cat hello.*.txt'
  assert.ok(short?.stdout.includes(`\n  ${line}\n`))
  for (const help of [asPlugin, short]) {
    assert.equal(help?.exitCode, 0)
    assert.equal(help.stderr, '')
    assert.match(help.stdout, /\nSYNC FLAGS\n.*--dir=.*\nBACK FLAGS\n.*--return=.*\nPOD FLAGS\n.*--image=IMAGE/s)
    assert.match(help.stdout, /NAME\.remote-RUNID/)
    const exitCodes = help.stdout.slice(help.stdout.indexOf('\nEXIT CODES\n')).replaceAll(/\s+/g, ' ')
    assert.match(exitCodes, / 125 biwarp itself failed: .* halted, or --on-conflict=fail and a conflict 126 /)
  }
  assert.doesNotMatch(own?.stdout ?? '', /BACK FLAGS|--return|both ways/)
  assert.match((await run(warp, ['--return=a', 'x'])).stderr, /^error: unknown flag: --return\n/)
})

test('what is installed is what the build makes, and neither a plain warp nor a plain biwarp', () => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const made = readdirSync(join(root, 'dist/bin')).filter((name) => name !== 'package.json')
  assert.deepEqual(Object.keys(bin).toSorted(), made.toSorted())
  for (const plain of ['warp', 'biwarp']) assert.ok(!made.includes(plain))
})

test('a link to the program is the program that its name says', async () => {
  const link = join(folder, 'kubectl-kuberun')
  symlinkSync(program, link)
  assert.match((await run(link, ['--help'])).stdout, /^USAGE\n {2}kubectl kuberun /)
})

test('help fits 80 and 120 columns, but for examples', async () => {
  for (const columns of [80, 120]) {
    const { stdout } = await run(program, ['--help'], { COLUMNS: String(columns) })
    const flags = stdout.slice(stdout.indexOf('RUN FLAGS'))
    const widest = Math.max(...flags.split('\n').map((line) => line.length))
    assert.ok(widest <= columns && widest > columns * 0.8, `${widest} of ${columns}`)
  }
})

test('the version is the one of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal((await run(program, ['--version'])).stdout, `kuberun ${version}`)
  assert.equal((await run(warp, ['--version'])).stdout, `warp ${version}`)
  assert.equal((await run(kubewarp, ['--version'])).stdout, `kubewarp ${version}`)
  assert.equal((await run(biwarp, ['--version'])).stdout, `biwarp ${version}`)
  assert.equal((await run(kubebiwarp, ['--version'])).stdout, `kubebiwarp ${version}`)
})

test('help, version and mistakes load nothing that speaks to a cluster', async () => {
  // A module that fails when it is loaded tells on whoever loads it.
  const hook = join(folder, 'hook.mjs')
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module'
     registerHooks({ load(url, context, next) {
       const loaded = next(url, context)
       if (/api\\/v1|Sec-WebSocket/.test(String(loaded.source))) throw new Error('loaded ' + url)
       return loaded
     } })`,
  )
  const watched = { NODE_OPTIONS: `--import=${hook}` }
  for (const words of [['--help'], ['--version'], ['--nonsense'], ['--image=', 'x']]) {
    assert.doesNotMatch((await run(program, words, watched)).stderr, /loaded/, words.join(' '))
  }
  for (const words of [['--help'], ['--remote-dir=/', 'x'], ['--dir', join(folder, 'none'), 'x']]) {
    for (const path of [warp, biwarp]) {
      assert.doesNotMatch((await run(path, words, watched)).stderr, /loaded/, words.join(' '))
    }
  }
  assert.doesNotMatch((await run(biwarp, ['--return-interval=99ms', 'x'], watched)).stderr, /loaded/)
  assert.match((await run(program, ['x'], watched)).stderr, /loaded/)
  assert.match((await run(warp, ['x'], watched)).stderr, /loaded/)
})

test('every mistake is one sentence on stderr and 125', async () => {
  const lines = [
    [],
    ['--'],
    ['--nonsense', 'x'],
    ['-z', 'x'],
    ['--image'],
    ['--stdin=maybe', 'x'],
    ['--restart=Always', 'x'],
    ['--dry-run=server', 'x'],
    ['-o', 'yaml', 'x'],
    ['-o', 'name', '--dry-run=client', 'x'],
    ['--env-file', join(folder, 'nothing'), 'x'],
    ['--limits=memory=lots', 'x'],
    ['--overrides={', 'x'],
    ['--workdir=\u001b[31mred', 'x'],
  ]
  const results = await Promise.all(lines.map(async (words) => ({ words, result: await run(program, words) })))
  for (const { words, result } of results) assertOneSentence(result, words)
})

test('every mistake of warp, biwarp and their short forms says what it is, in one sentence on stderr, and is 125', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  const rows: [string, string[], string | RegExp][] = [
    [warp, [], 'no command given'],
    [warp, ['--dir=', 'x'], 'invalid folder "": must not be empty'],
    [warp, ['--dir', join(folder, 'none'), 'x'], `there is no folder "${join(folder, 'none')}"`],
    [warp, ['--dir', file, 'x'], `"${file}" is no folder`],
    [warp, ['--dir', file, '--plan'], `"${file}" is no folder`],
    [warp, ['--dir', file, '--dry-run=client', 'x'], `"${file}" is no folder`],
    [warp, ['--remote-dir=/', 'x'], /must not be the root of the container$/],
    [warp, ['--remote-dir=/proc/1', 'x'], /must not be in \/proc$/],
    [warp, ['--exclude=', 'x'], 'invalid argument "" for "--exclude" flag: must not be empty'],
    [warp, ['--include=a//b', 'x'], /must not have two slashes together$/],
    [warp, ['--max-upload=lots', 'x'], /must be a size such as 500MB, 1\.5GB or 200MiB, or a number of bytes$/],
    [warp, ['--max-upload=-1', 'x'], 'invalid argument "-1" for "--max-upload" flag: must not be negative'],
    [warp, ['--max-upload=0', 'x'], '--max-upload must be higher than zero'],
    [warp, ['--no-ignore=maybe', 'x'], /must be true or false$/],
    [warp, ['-o', 'yaml', 'x'], '--output needs --plan or --dry-run=client'],
    [warp, ['--plan', '--dry-run=client', 'x'], '--plan and --dry-run=client do not go together'],
    [kubewarp, [], 'no include pattern and no command given'],
    [kubewarp, ['--image=a', '--'], 'no include pattern and no command given'],
    [kubewarp, ['src/**'], 'no command given after the include pattern "src/**"'],
    [kubewarp, ['src/**', '--'], 'no command given after the include pattern "src/**"'],
    [kubewarp, ['', 'x'], 'invalid include pattern "": must not be empty'],
    [biwarp, [], 'no command given'],
    [biwarp, ['--dir', file, 'x'], `"${file}" is no folder`],
    [biwarp, ['--return=', 'x'], 'invalid argument "" for "--return" flag: must not be empty'],
    [biwarp, ['--return=a//b', 'x'], /must not have two slashes together$/],
    [biwarp, ['--on-conflict=mine', 'x'], /must be "keep-both", "local", "remote" or "fail"$/],
    [biwarp, ['--allow-mass-delete=all', 'x'], /must be true or false$/],
    [biwarp, ['--return-interval=often', 'x'], /must be a duration such as /],
    [biwarp, ['--return-interval=99ms', 'x'], '--return-interval must be 100ms or longer'],
    [biwarp, ['--return-interval=0', '--plan'], '--return-interval must be 100ms or longer'],
    [biwarp, ['-o', 'yaml', 'x'], '--output needs --plan or --dry-run=client'],
    [biwarp, ['--plan', '--dry-run=client', 'x'], '--plan and --dry-run=client do not go together'],
    [kubebiwarp, [], 'no include pattern and no command given'],
    [kubebiwarp, ['*.txt'], 'no command given after the include pattern "*.txt"'],
    [kubebiwarp, ['#', 'x'], /^error: invalid include pattern "#": is a comment/],
    [kubebiwarp, ['--return-interval=25d', 'a', 'x'], /must be a duration such as /],
    [kubebiwarp, ['--return-interval=600h', 'a', 'x'], '--return-interval must be 596h or shorter'],
  ]
  const results = await Promise.all(rows.map(async ([path, words]) => run(path, words)))
  for (const [at, [, words, message]] of rows.entries()) {
    const [first = ''] = assertOneSentence(results[at], words).split('\n')
    if (typeof message === 'string') assert.equal(first, `error: ${message}`)
    else assert.match(first, message)
  }
})

test('the words of a short form after the pattern are the command, untouched', async () => {
  assert.equal(await recordedBy(kubewarp, 'src/**', 'make', '-n', 'test'), 'make -n test')
  assert.equal(await recordedBy(kubewarp, '--', '-a', '--', 'make', '--', 'test'), 'make -- test')
  assert.equal(await recordedBy(warp, 'make', '-n', 'test'), 'make -n test')
  assert.equal(await recordedBy(kubebiwarp, 'hello.1.txt', 'make', '-n', 'test'), 'make -n test')
  assert.equal(await recordedBy(biwarp, '--return', 'a', '--', 'make', '--', 'test'), 'make -- test')
})

test('a word that is not UTF-8 is refused, and one that holds U+FFFD is not', async () => {
  const broken = await shell(`"$0" --image= echo ok "$(printf 'caf\\351')"`)
  assert.equal(broken.exitCode, 125)
  assert.match(broken.stderr, /^error: the word "caf\\xe9" is not UTF-8\n {2}.*printf '\\377'/)
  const whole = await shell(`"$0" --image= echo "$(printf '\\357\\277\\275')"`)
  assert.match(whole.stderr, /^error: invalid image ""/)
})

test('a variable that is not UTF-8 is refused, from here and from a file', async () => {
  const copied = await shell(`A=$(printf '\\351') "$0" --env A --image= x`)
  assert.match(copied.stderr, /^error: the environment variable "A" is not UTF-8\n/)
  const file = join(folder, 'latin1')
  writeFileSync(file, Buffer.from('A=caf\xe9\n', 'latin1'))
  const read = await run(program, ['--env-file', file, '--image=', 'x'])
  assert.equal(read.stderr, `error: the env file "${file}" is not UTF-8`)
})

test('a Node that is too old is told in one sentence', async (t) => {
  const old = findOldNode()
  // Only a machine whose own Node is too old can show what such a one is told.
  if (old === undefined) return t.skip('no Node below 22.22 on PATH')
  const { exitCode, stdout, stderr } = await run(program, ['--version'], { PATH: `${dirname(old)}${delimiter}/bin` })
  assert.equal(exitCode, 125)
  assert.equal(stdout, '')
  assert.match(stderr, /^error: this needs Node\.js 22\.22, 24, 26 or later, and is run by v\d+\.\d+\.\d+$/)
})

test('where there is no Node, that is told in one sentence', async () => {
  const { exitCode, stderr } = await run(program, ['--version'], { PATH: folder })
  assert.equal(exitCode, 125)
  assert.equal(stderr, 'error: this needs Node.js, and no node is on the PATH')
})

test('Node obeys no flag of the program or of the command', async () => {
  const file = join(folder, 'env')
  writeFileSync(file, 'NODE_OPTIONS=--nonsense\n')
  const lines = [
    ['--env-file', file, '--image=', 'x'],
    ['--image=', 'docker', 'run', '--env-file', file],
    ['--image=', 'docker', 'run', '--env-file=/nothing'],
    ['--image=', 'node', '--inspect', '--eval', 'process.exit(1)'],
  ]
  for (const words of lines) {
    assert.equal((await run(program, words)).stderr, 'error: invalid image "": must not be empty', words.join(' '))
  }
})

test('the stub asks for the Node that package.json asks for, in words that any Node reads', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const stub = readFileSync(join(root, 'plugins/bin/stub.cjs'), 'utf8')
  assert.ok(stub.includes(`// As in package.json: ${engines.node}\n`))
  const code = stub.replaceAll(/^#!.*|\/\/.*$/gm, '')
  assert.doesNotMatch(code, /=>\s*[{(]|\bconst\b|\blet\b|`|\?\.|\?\?|\bimport\b/)
})

test('a standard stream that is gone is no reason to crash', async () => {
  const full = await shell('"$0" --help >/dev/full')
  assert.equal(full.exitCode, 125)
  assert.match(full.stderr, /^error: cannot write to stdout: .*ENOSPC[^\n]*$/)
  const lost = await shell('"$0" --nonsense 2>/dev/full')
  assert.equal(lost.exitCode, 125)
  const head = await shell('("$0" --help; echo $? >&2) | head -n1')
  assert.equal(head.stderr, '0')
})

test('a stdout that is closed from the start is an error', async () => {
  for (const words of ['--version', '--image= x']) {
    const { exitCode, stderr } = await shell(`"$0" ${words} >&-`)
    assert.equal(exitCode, 125)
    assert.match(stderr, /^error: cannot write stdout: it is closed\n {2}send it to a file/)
  }
})

test('compiled code is kept in the user’s cache folder, by the XDG specification', async () => {
  const home = mkdtempSync(join(folder, 'home-'))
  await run(program, ['--version'], { HOME: home, XDG_CACHE_HOME: 'relative' })
  assert.equal(readdirSync(join(home, '.cache/kuberun')).length, 1)
  await run(program, ['--version'], { HOME: home, XDG_CACHE_HOME: join(home, 'own') })
  assert.equal(readdirSync(join(home, 'own/kuberun')).length, 1)
})

test('where no cache can be made it runs without', { timeout: 20_000 }, async () => {
  const taken = mkdtempSync(join(folder, 'taken-'))
  writeFileSync(join(taken, 'kuberun'), '')
  for (const cache of ['/proc', '/dev/null', join(folder, 'no/such/folder'), taken]) {
    assert.equal((await run(program, ['--version'], { XDG_CACHE_HOME: cache })).exitCode, 0, cache)
  }
})

function assertOneSentence(result: Awaited<ReturnType<typeof run>> | undefined, words: readonly string[]): string {
  assert.ok(result !== undefined)
  assert.equal(result.exitCode, 125, words.join(' '))
  assert.equal(result.stdout, '')
  assert.match(result.stderr, /^error: [^\n]*[^.\n](\n {2}[^\n]+)?$/, words.join(' '))
  assert.ok(!result.stderr.includes('internal error') && !result.stderr.includes('\u001b'))
  return result.stderr
}

test('the plan of a biwarp is that of a warp', async () => {
  const tree = mkdtempSync(join(folder, 'tree-'))
  for (const name of ['a.c', 'b.h', '.warpignore']) writeFileSync(join(tree, name), '*.o\n')
  for (const words of [
    ['--plan', '--dir', tree],
    ['--plan', '--dir', tree, '-o', 'json'],
  ]) {
    const [up, both] = await Promise.all([warp, biwarp].map((path) => run(path, words)))
    assert.deepEqual([both?.exitCode, both?.stderr], [0, ''])
    assert.equal(both?.stdout, up?.stdout)
  }
  const short = await run(kubebiwarp, ['--plan', '--dir', tree, '*.c'])
  assert.equal(short.stdout, (await run(warp, ['--plan', '--dir', tree, '--include', '*.c'])).stdout)
})

/** The command as the annotation of the pod that would be made has it. */
async function recordedBy(path: string, ...words: string[]): Promise<string> {
  const flags = ['--dry-run=client', '-o', 'json', '--record']
  const { stdout, stderr } = await run(path, [...flags, ...words], { KUBECONFIG: kubeconfig() })
  assert.equal(stderr, '')
  return JSON.parse(stdout).metadata.annotations['kuberun/command']
}

/** A kubeconfig of a cluster that nobody asks. */
function kubeconfig(): string {
  const file = join(folder, 'kubeconfig')
  const named = {
    name: 'a',
    cluster: { server: 'https://127.0.0.1:1' },
    context: { cluster: 'a', user: 'a' },
    user: {},
  }
  const config = { 'current-context': 'a', clusters: [named], contexts: [named], users: [named] }
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }))
  return file
}

function findOldNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))
  return [...folders, '/usr/bin'].map((path) => join(path, 'node')).find((path) => existsSync(path) && isOld(path))
}

function isOld(path: string): boolean {
  const [major = 0, minor = 0] = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .split('.')
    .map(Number)
  return major < 22 || (major === 22 && minor < 22)
}
