import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { manifest } from '../support/trees.ts'
import { cProject } from './support/c-project.ts'
import { triedElsewhere } from './support/ground.ts'
import { besides, identities, isWhole, pathsIn, printVersion, versionOf } from './support/here.ts'
import { has, images, toolImages } from './support/images.ts'
import { folderOf } from './support/local-tree.ts'
import { nothingLeft, ours, places } from './support/place.ts'
import { manifestScript, PodShell, podManifest } from './support/pod-tree.ts'
import { amount, expect, onSandbox, root, sh } from './support/programs.ts'
import { until } from './support/wait.ts'

const { here, many, killed, restricted } = await places({
  here: {},
  many: {},
  killed: {},
  restricted: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})

/** Runs a script in that folder. */
function within(cwd: string, script: string, place = here) {
  return place.sh(`cd "$1" && shift && ${script}`, { words: [cwd, manifestScript], timeout: 300_000 })
}

/** The time of a folder changes with what comes into it. */
const withoutFolderTime = (line: string): string => line.replace(/^(.* folder \d+) -?\d+$/, '$1')

const read = (tree: { path: string }, path: string): string => readFileSync(join(tree.path, path), 'utf8')

describe('many at once in one folder', { concurrency: 1, timeout: 600_000 }, () => {
  const count = amount('KUBERUN_TEST_BIWARPS', onSandbox ? 4 : 50, 50)

  test('the line of the talk prints its five lines', async () => {
    await using tree = await folderOf()
    const ended = await within(tree.path, `${talk(5, 5)}; cat hello.*.txt`)
    expect(ended, { code: 0, stdout: 'hello 1\nhello 2\nhello 3\nhello 4\nhello 5\n', stderr: '' })
    assert.equal(pathsIn(tree.path).length, 5)
  })

  test(`${count} of them make ${count} files, and touch nothing else`, async () => {
    await using tree = await folderOf(others(amount('KUBERUN_TEST_OTHERS', onSandbox ? 200 : 2_000, 2_000)))
    const before = identities(tree.path)
    const ended = await within(tree.path, talk(count, 20), many)
    expect(ended, { code: 0, stdout: '', stderr: '' })
    const made = Array.from({ length: count }, (_, n) => `hello.${n + 1}.txt`)
    const after = identities(tree.path)
    assert.deepEqual([...after.keys()].filter((path) => !before.has(path)).toSorted(), made.toSorted())
    for (const [path, identity] of before) assert.equal(after.get(path), identity, path)
    for (const [n, path] of made.entries()) assert.equal(read(tree, path), `hello ${n + 1}\n`)
    await nothingLeft([many.namespace])
    // The same again, of which each writes what is there already.
    expect(await within(tree.path, talk(3, 3), many), { code: 0, stdout: '', stderr: '' })
    const again = identities(tree.path)
    assert.deepEqual([...again.keys()], [...after.keys()])
    for (const [path, identity] of before) assert.equal(again.get(path), identity, path)
    for (const [n, path] of made.entries()) assert.equal(read(tree, path), `hello ${n + 1}\n`)
  })

  test('one whose command changes nothing touches nothing', async () => {
    await using tree = await folderOf({ 'a/b': '1', c: '2' })
    execFileSync('ln', ['-s', 'c', join(tree.path, 'link')])
    const first = await within(tree.path, `kubectl biwarp 'echo made >a/made; ln -s made a/link; rm c'`)
    expect(first, { code: 0, stdout: '', stderr: '' })
    const before = identities(tree.path)
    assert.deepEqual([...before.keys()], ['a', 'a/b', 'a/link', 'a/made', 'link'])
    expect(await within(tree.path, `kubectl biwarp 'cat a/*'`), { code: 0, stdout: '1made\nmade\n', stderr: '' })
    assert.deepEqual(identities(tree.path), before)
  })

  const writers = amount('KUBERUN_TEST_WRITERS', onSandbox ? 4 : 10, 10)
  for (const flags of triedElsewhere ? ['--once'] : ['--once', '--return-interval=200ms']) {
    test(`${writers} with ${flags} rewrite one file: it is one version, and the others are beside it`, async (t) => {
      const own = Object.fromEntries(Array.from({ length: writers }, (_, n) => [`own.${n}`, 'begin\n']))
      await using tree = await folderOf({ common: versionOf(25), ...own })
      const pods: PodShell[] = []
      try {
        for (let n = 0; n < writers; n++) {
          pods.push(await PodShell.start(many, `kubectl biwarp ${flags}`, tree.path, { timeout: 240_000 }))
        }
        // All have the same baseline: from here on each writes at once with the others.
        await Promise.all(
          pods.map((pod, n) => {
            const letter = String.fromCharCode('a'.charCodeAt(0) + n)
            return pod.ask(`echo ${n} >>own.${n}; { ${printVersion(letter)}; } >/tmp/new; cat /tmp/new >common`)
          }),
        )
      } catch (error) {
        await Promise.all(pods.map((pod) => pod.end()))
        throw error
      }
      const ends = await Promise.all(pods.map((pod) => pod.end()))
      for (const ended of ends) expect(ended, { code: 0 })
      for (let n = 0; n < writers; n++) assert.equal(read(tree, `own.${n}`), `begin\n${n}\n`)
      const beside = besides(tree.path, 'common')
      const versions = [read(tree, 'common'), ...beside.map(({ content }) => content)]
      for (const version of versions) assert.ok(isWhole(version), `torn: ${version.length} bytes`)
      const letters = versions.map((version) => version.charAt(0)).toSorted()
      const said = ends.filter(({ stderr }) => /^warning: .*common/m.test(stderr))
      t.diagnostic(`versions: ${letters.join(' ')}; ${said.length} runs told of a conflict`)
      // With a look in between, who is late may see another's version before it writes its own: none is lost by that.
      if (flags !== '--once') return
      assert.deepEqual(
        letters,
        Array.from({ length: writers }, (_, n) => String.fromCharCode('a'.charCodeAt(0) + n)),
      )
      assert.equal(said.length, writers - 1)
      // Each names the file that it has made.
      for (const { path } of beside) assert.equal(said.filter(({ stderr }) => stderr.includes(path)).length, 1, path)
      assert.deepEqual(pathsIn(tree.path).length, 2 * writers)
    })
  }
})

/** The line of the talk, with more or fewer of them. */
function talk(last: number, parallel: number): string {
  return `seq 1 ${last} | xargs -P${parallel} -I{} kubebiwarp "hello.{}.txt" "echo hello {} > hello.{}.txt"`
}

/** Files of others, some of them in folders. */
function others(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [n % 2 === 0 ? `other ${n}` : `folder ${n % 13}/${n}.txt`, `${n}\n`]),
  )
}

describe('what comes back', { concurrency: 2, timeout: 300_000 }, () => {
  test('what a make builds, though git ignores it: a make here has nothing to do', async (t) => {
    if (!(await has(t, here, images.build))) return
    const version = await here.sh(`kuberun --image ${images.build} -- make --version`)
    // A sandbox's containers have the programs of this machine, and this test compares with a make of this machine's: on one
    // without, there is none to compare. The cluster's image has its own.
    if (version.code === 127) return t.skip('containers of this sandbox have no make')
    if ((await sh('make --version')).code !== 0) return t.skip('needs make here')
    await using project = await folderOf(cProject)
    execFileSync('git', ['init', '-q', project.path])
    const sources = identities(project.path)
    const command = `kubectl biwarp --image ${images.build} --return 'build/**' -- make`
    expect(await within(project.path, command), { code: 0, stdout: /-o build\/app/ })
    const after = identities(project.path)
    const made = [...after.keys()].filter((path) => !sources.has(path))
    assert.deepEqual(made, ['build', 'build/app', 'build/main.o', 'build/times.o'])
    for (const [path, identity] of sources) assert.equal(after.get(path), identity, path)
    assert.equal(statSync(join(project.path, 'build/app')).mode & 0o111, 0o111)
    expect(await within(project.path, 'make'), { code: 0, stdout: /up to date|Nothing to be done/ })
    // And without it, nothing of what git ignores comes.
    execFileSync('rm', ['-r', join(project.path, 'build')])
    const without = `kubectl biwarp --image ${images.build} -- make`
    expect(await within(project.path, without), { code: 0, stdout: /-o build\/app/, stderr: '' })
    assert.deepEqual(identities(project.path), sources)
  })

  for (const image of toolImages) {
    test(`in ${image}, all that a command may do to a folder, which then exits with 7`, async (t) => {
      if (!(await has(t, here, image))) return
      await using tree = await folderOf({
        'deleted/a': '1',
        'deleted/b/c': '2',
        'renamed here/file': '3',
        'folder/that/was': '4',
        file: '5',
        changed: '6',
        kept: '7',
        link: '',
        tool: '8',
      })
      chmodSync(join(tree.path, 'tool'), 0o644)
      const megabytes = amount('KUBERUN_TEST_MEGABYTES', onSandbox ? 8 : 100, 1024)
      const command = `
        rm -r deleted
        mv "renamed here" "renamed there"
        rm -r folder; echo "a file" >folder
        rm file; mkdir -p file/is/a; echo folder >file/is/a/now
        echo more >>changed
        rm link; ln -s kept link; ln -s ../kept "file/up"; ln -s /nowhere/at/all dangling
        chmod 755 tool; mkdir empty
        umask 077; echo private >private
        touch -d "2001-02-03 04:05:06" kept
        printf x >"$(printf 'new\\nline')"; printf y >"-rf"; printf z >"ä 'quoted' \\"both\\""
        i=0; while [ $i -lt ${megabytes} ]; do head -c 1048576 /dev/urandom; i=$((i + 1)); done >large
        eval "$0"
        exit 7`
      const flags = `--image ${image} --shell=never --allow-mass-delete`
      const ended = await here.sh(`cd "$1" && exec kubectl biwarp ${flags} -- sh -c "$2" "$3"`, {
        words: [tree.path, command, manifestScript],
        timeout: 280_000,
      })
      expect(ended, { code: 7, stderr: '' })
      const there = podManifest(ended.stdout).map(withoutFolderTime)
      assert.ok(there.length > 15)
      assert.deepEqual(manifest(tree.path, false).map(withoutFolderTime), there)
    })
  }

  test('while it runs, and what went up is no change that comes back', async () => {
    await using tree = await folderOf({ 'sub/file': '1', log: 'line 0\n' })
    await using pod = await PodShell.start(here, 'kubectl biwarp --return-interval=200ms', tree.path)
    await pod.ask('echo made >sub/made; rm sub/file; chmod 600 log')
    await until('what was made', () => pathsIn(tree.path).join(' ') === 'log sub sub/made')
    await until('the mode', () => (statSync(join(tree.path, 'log')).mode & 0o777) === 0o600)
    assert.equal(read(tree, 'sub/made'), 'made\n')
    writeFileSync(join(tree.path, 'sub/mine'), 'mine')
    await until('what is written here', async () => (await pod.ask('cat sub/mine')) === 'mine')
    const before = identities(tree.path).get('sub/mine')
    // A log that grows comes back again and again, each time with whole lines of what was there.
    for (let n = 1; n <= 5; n++) {
      await pod.ask(`echo "line ${n}" >>log`)
      await until(`line ${n}`, () => read(tree, 'log').endsWith(`line ${n}\n`))
    }
    assert.equal(read(tree, 'log'), Array.from({ length: 6 }, (_, n) => `line ${n}\n`).join(''))
    assert.equal(identities(tree.path).get('sub/mine'), before)
    assert.equal(await pod.ask('ls -A . sub; cat sub/mine'), '.:\nlog\nsub\n\nsub:\nmade\nmine\nmine')
    expect(await pod.end(), { code: 0, stderr: '' })
    assert.equal(identities(tree.path).get('sub/mine'), before)
  })

  test('what the command changes just as something goes up is not overlooked', { skip: triedElsewhere }, async () => {
    const edits = onSandbox ? 5 : 12
    await using tree = await folderOf({ input: '0' })
    await using pod = await PodShell.start(here, 'kubectl biwarp --return-interval=200ms', tree.path)
    for (let n = 1; n <= edits; n++) {
      const answer = pod.ask(`until [ "$(cat input)" = ${n} ]; do :; done; echo ${n} >output`)
      writeFileSync(join(tree.path, 'input'), `${n}`)
      await answer
      await until(
        `the answer to ${n}`,
        () => pathsIn(tree.path).includes('output') && read(tree, 'output') === `${n}\n`,
        {
          within: 10_000,
          every: 20,
        },
      )
    }
    expect(await pod.end(), { code: 0, stderr: '' })
  })

  test('what the command makes at once of a file that came is not taken for what came', {
    skip: triedElsewhere,
  }, async () => {
    await using tree = await folderOf({ input: '0' })
    await using pod = await PodShell.start(here, 'kubectl biwarp --return-interval=200ms', tree.path)
    for (let n = 1; n <= 5; n++) {
      // Of the same size, as one that formats may leave it, and of another.
      const made = n % 2 === 0 ? `${n}!` : `made of ${n}`
      const answer = pod.ask(`until [ "$(cat input)" = "${n}?" ]; do :; done; printf %s "${made}" >input`)
      writeFileSync(join(tree.path, 'input'), `${n}?`)
      await answer
      await until(`what is made of ${n}`, () => read(tree, 'input') === made, { within: 10_000, every: 20 })
      assert.equal(await pod.ask('cat input'), made)
    }
    expect(await pod.end(), { code: 0, stderr: '' })
    assert.deepEqual(pathsIn(tree.path), ['input'])
  })

  test('a log that grows all the time is here while it grows', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf()
    const command = `'until [ -e enough ]; do date >>log; sleep 0.05; done; cat log'`
    const run = here.start(`cd "$1" && exec kubectl biwarp --return-interval=200ms ${command}`, { words: [tree.path] })
    const sizes = new Set<number>()
    await until('some sizes', () => {
      sizes.add(statSync(join(tree.path, 'log'), { throwIfNoEntry: false })?.size ?? 0)
      return sizes.size > 4
    })
    writeFileSync(join(tree.path, 'enough'), '')
    const ended = await run.ended
    expect(ended, { code: 0, stderr: '' })
    assert.equal(read(tree, 'log'), ended.stdout)
  })

  test('ignore files that the command changes send nothing there, and take out what comes back', async () => {
    await using tree = await folderOf({ '.warpignore': 'secret\n', secret: 'mine', a: '1' })
    await using pod = await PodShell.start(here, 'kubectl biwarp --return-interval=100ms', tree.path)
    await pod.ask(': >.warpignore; mkdir venv; echo "*" >venv/.gitignore; echo x >venv/big; echo 2 >a')
    await until('what was changed with them', () => read(tree, 'a') === '2\n')
    writeFileSync(join(tree.path, 'later'), '')
    assert.equal(await pod.ask('until [ -e later ]; do sleep 0.05; done; ls'), 'a\nlater\nvenv\n')
    assert.equal(read(tree, '.warpignore'), 'secret\n')
    expect(await pod.end(), { code: 0, stderr: '' })
    assert.deepEqual([read(tree, '.warpignore'), read(tree, 'secret')], ['', 'mine'])
    assert.ok(!pathsIn(tree.path).some((path) => path.startsWith('venv/')), pathsIn(tree.path).join(' '))
  })

  test('with --once only when it has ended', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf({ file: '1' })
    await using once = await PodShell.start(here, 'kubectl biwarp --once --return-interval=100ms', tree.path)
    await once.ask('echo made >made; echo 2 >file')
    // One that takes back meanwhile shows how long that may take; its changes do not go to the other.
    await using other = await PodShell.start(here, 'kubectl biwarp --return-interval=100ms', tree.path)
    await other.ask('echo other >other')
    await until('the change of the other', () => pathsIn(tree.path).includes('other'))
    assert.deepEqual(pathsIn(tree.path), ['file', 'other'])
    assert.equal(await once.ask('ls'), 'file\nmade\n')
    expect(await once.end(), { code: 0, stderr: '' })
    assert.deepEqual(pathsIn(tree.path), ['file', 'made', 'other'])
    assert.equal(read(tree, 'file'), '2\n')
    expect(await other.end(), { code: 0, stderr: '' })
  })

  test('what matches INCLUDE, and nothing else', async () => {
    await using tree = await folderOf({ 'src/a': '1', b: '2' })
    const before = identities(tree.path)
    const command = `'ls -A; echo changed >>src/a; mkdir src/new; echo new >src/new/b; echo x >b; echo y >c'`
    expect(await within(tree.path, `kubebiwarp 'src/**' ${command}`), { code: 0, stdout: 'src\n', stderr: '' })
    assert.deepEqual(pathsIn(tree.path), ['b', 'src', 'src/a', 'src/new', 'src/new/b'])
    assert.equal(read(tree, 'src/a'), '1changed\n')
    assert.equal(identities(tree.path).get('b'), before.get('b'))
  })

  test('from an image that has neither shell nor tar', async (t) => {
    if (!(await has(t, here, images.static))) return
    await using tree = await folderOf({ 'a/b': 'content', gone: '' })
    const flags = `--tools=always --image ${images.static}`
    const ended = await within(tree.path, `kubectl biwarp ${flags} '/app cat <a/b >a/c; /app printed >d; rm gone'`)
    expect(ended, { code: 0, stdout: '', stderr: '' })
    assert.deepEqual(pathsIn(tree.path), ['a', 'a/b', 'a/c', 'd'])
    assert.deepEqual([read(tree, 'a/c'), read(tree, 'd')], ['content', 'printed\n'])
  })

  test('from an image whose user is not root, and a "restricted" namespace', async (t) => {
    await using tree = await folderOf({ 'a/b': 'content' })
    const command = `'umask 022; id -u; echo x >a/new; rm a/b; mkdir closed; echo y >closed/in; chmod 500 closed'`
    const ended = await within(tree.path, `kubectl biwarp ${command}`, restricted)
    expect(ended, { code: 0, stdout: '65532\n', stderr: /^warning: .*"restricted".*\n$/ })
    assert.deepEqual(pathsIn(tree.path), ['a', 'a/new', 'closed', 'closed/in'])
    assert.equal(statSync(join(tree.path, 'closed')).mode & 0o777, 0o500)
    if (!(await has(t, here, images.nonroot))) return
    await using other = await folderOf({ 'a/b': 'content' })
    const run = `kubectl biwarp --image ${images.nonroot} 'id -u; echo x >a/new; rm a/b'`
    expect(await within(other.path, run), { code: 0, stdout: '1000\n', stderr: '' })
    assert.deepEqual(pathsIn(other.path), ['a', 'a/new'])
  })

  test('to another folder, from another one there', async () => {
    await using tree = await folderOf({ 'project/a': '1', other: '2' })
    const flags = '--dir project --remote-dir /srv/app'
    expect(await within(tree.path, `kubectl biwarp ${flags} 'pwd; cp a b; echo x >/tmp/c'`), {
      code: 0,
      stdout: '/srv/app\n',
      stderr: '',
    })
    assert.deepEqual(pathsIn(tree.path), ['other', 'project', 'project/a', 'project/b'])
  })

  test('no folder and no file of others becomes writable or setuid by it', async () => {
    await using tree = await folderOf({ tool: 'x' })
    const ended = await within(tree.path, `kubectl biwarp 'chmod 6755 tool; cp tool new; chmod 4755 new'`)
    expect(ended, { code: 0, stdout: '' })
    for (const path of ['tool', 'new']) assert.equal(statSync(join(tree.path, path)).mode & 0o7777, 0o755, path)
  })

  test('how much came is told with -v', async () => {
    await using tree = await folderOf({ a: '1' })
    const ended = await within(tree.path, `kubectl biwarp -v 'echo x >b; echo y >c'`)
    expect(ended, { code: 0, stdout: '', stderr: /\b2 files\b[^\n]*\bback\b|\bback\b[^\n]*\b2 files\b/ })
  })
})

describe('when the command does not end by itself', { concurrency: 2, timeout: 240_000 }, () => {
  for (const flags of ['', '--once']) {
    test(`Ctrl-C${flags && ` with ${flags}`}: what was written until then is back, and 130`, async () => {
      await using tree = await folderOf({ file: 'old' })
      const command = `'echo new >file; echo made >made; echo up; sleep 60'`
      const run = here.start(`cd "$1" && exec kubectl biwarp ${flags} ${command}`, { words: [tree.path] })
      await until('the command', () => run.stdout() === 'up\n')
      run.kill('SIGINT')
      expect(await run.ended, { code: 130, stdout: 'up\n' })
      assert.deepEqual(pathsIn(tree.path), ['file', 'made'])
      assert.deepEqual([read(tree, 'file'), read(tree, 'made')], ['new\n', 'made\n'])
    })
  }

  test('a command that writes more after a signal, and then has its own exit code', async () => {
    await using tree = await folderOf()
    const command = `'trap "echo late >late; exit 5" TERM; echo early >early; echo up; sleep 60 & wait'`
    const run = here.start(`cd "$1" && exec kubectl biwarp ${command}`, { words: [tree.path] })
    await until('the command', () => run.stdout() === 'up\n')
    run.kill('SIGTERM')
    expect(await run.ended, { code: 5 })
    assert.deepEqual(pathsIn(tree.path), ['early', 'late'])
  })

  test('--timeout', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf()
    expect(await within(tree.path, `kubectl biwarp --timeout 2s 'echo made >made; sleep 60'`), { code: 124 })
    assert.deepEqual(pathsIn(tree.path), ['made'])
  })

  test('a client that is killed leaves whole files, old or new, and no pod', { timeout: 600_000 }, async (t) => {
    const names = ['a', 'b', 'c', 'sub/d', 'sub/e']
    const command = `
      echo up
      while :; do
        for letter in b c d e f g h i j k; do
          { ${printVersion('$letter')}; } >/tmp/new
          for file in ${names.join(' ')}; do cp /tmp/new "$file.tmp"; mv "$file.tmp" "$file"; done
          sleep 0.7
        done
      done`
    const kills = amount('KUBERUN_TEST_KILLS', onSandbox ? 1 : 10, 100)
    const seen = new Set<string>()
    for (let n = 0; n < kills; n++) {
      await using tree = await folderOf(Object.fromEntries(names.map((name) => [name, versionOf(0)])))
      const flags = `--orphan-timeout=5s --return-interval=100ms --exclude '*.tmp'`
      const run = killed.start(`cd "$1" && exec kubectl biwarp ${flags} -- sh -c "$2"`, {
        words: [tree.path, command],
      })
      await until('the command', () => run.stdout() === 'up\n')
      // While the next ones come, and from the start on.
      if (n % 2 === 0) await until('something new', () => names.some((name) => read(tree, name) !== versionOf(0)))
      await sleep(Math.random() * 1_500)
      run.kill('SIGKILL')
      expect(await run.ended, { code: 137 })
      for (const name of names) {
        const content = read(tree, name)
        assert.ok(isWhole(content), `${name} is torn: ${content.length} bytes`)
        seen.add(content.charAt(0))
      }
      assert.deepEqual(pathsIn(tree.path), ['a', 'b', 'c', 'sub', 'sub/d', 'sub/e'])
    }
    t.diagnostic(`versions seen: ${[...seen].toSorted().join('')}`)
    const isRunning = async (): Promise<boolean> => / Running/.test((await ours([killed.namespace])).join('\n'))
    await until('the containers to end', async () => !(await isRunning()), { within: 90_000 })
    // The sweep, for those whose guard was not made in time.
    expect(await killed.sh('kuberun true'), { code: 0 })
    await nothingLeft([killed.namespace], 90_000)
  })
})

describe('what changed on both sides', { concurrency: 2, timeout: 240_000 }, () => {
  for (const flags of triedElsewhere ? ['--once'] : ['--once', '--return-interval=1m']) {
    test(`with ${flags}, edits of files that the command rewrites are not lost, and each is told`, async () => {
      const names = ['a', 'sub/b', 'sub/c d']
      await using tree = await folderOf(Object.fromEntries(names.map((name) => [name, 'base\n'])))
      await using pod = await PodShell.start(here, `kubectl biwarp ${flags}`, tree.path)
      await pod.ask(names.map((name) => `echo "there ${name}" >"${name}"`).join('\n'))
      for (const name of names) writeFileSync(join(tree.path, name), `here ${name}\n`)
      // For the watch and whatever goes up: neither may take the place of what the command wrote.
      await sleep(1_000)
      const ended = await pod.end()
      expect(ended, { code: 0 })
      for (const name of names) {
        assert.equal(read(tree, name), `here ${name}\n`)
        const [beside, ...more] = besides(tree.path, name)
        assert.deepEqual([beside?.content, more], [`there ${name}\n`, []])
        assert.match(beside?.path ?? '', new RegExp(`^${name}\\.remote-[a-z0-9]+$`))
        const told = ended.stderr.split('\n').filter((line) => line.includes(`"${name}"`))
        assert.equal(told.length, 1, ended.stderr)
        assert.ok(told[0]?.startsWith('warning: ') && told[0].includes(beside?.path ?? '?'), ended.stderr)
      }
    })
  }

  const policies: [policy: string, code: number, content: string, beside: number, told: RegExp][] = [
    ['keep-both', 0, 'here\n', 1, /^warning: .*"file"/m],
    ['local', 0, 'here\n', 0, /"file"/],
    ['remote', 0, 'there\n', 0, /"file"/],
    ['fail', 125, 'here\n', 0, /^(error|warning): .*"file"/m],
  ]
  for (const [policy, code, content, beside, told] of policies) {
    test(`--on-conflict=${policy}`, { skip: policy === 'fail' ? false : triedElsewhere }, async () => {
      await using tree = await folderOf({ file: 'base\n', other: 'base\n' })
      await using pod = await PodShell.start(here, `kubectl biwarp --once --on-conflict=${policy}`, tree.path)
      await pod.ask('echo there >file; echo changed >other')
      writeFileSync(join(tree.path, 'file'), 'here\n')
      expect(await pod.end(), { code, stderr: told })
      assert.equal(read(tree, 'file'), content)
      assert.equal(besides(tree.path, 'file').length, beside)
      // A conflict holds up nothing else.
      assert.equal(read(tree, 'other'), 'changed\n')
    })
  }

  test('a conflict under "fail" leaves an exit code that is not 0', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf({ file: 'base\n' })
    const command = `'echo there >file; echo up; sleep 3; exit 9'`
    const run = here.start(`cd "$1" && exec kubectl biwarp --once --on-conflict=fail ${command}`, {
      words: [tree.path],
    })
    await until('the command', () => run.stdout() === 'up\n')
    writeFileSync(join(tree.path, 'file'), 'here\n')
    expect(await run.ended, { code: 9 })
    assert.equal(read(tree, 'file'), 'here\n')
  })

  for (const policy of triedElsewhere ? ['remote'] : ['keep-both', 'local', 'remote', 'fail']) {
    test(`with --on-conflict=${policy}, what is here and was never sent is not written over`, async () => {
      await using tree = await folderOf({
        '.gitignore': '.env\nnode_modules/\nbuild/\n',
        '.env': 'SECRET=mine\n',
        'node_modules/a/index.js': 'mine\n',
        'build/app': 'mine\n',
      })
      execFileSync('git', ['init', '-q', tree.path])
      const before = identities(tree.path)
      const command =
        'echo theirs >.env; mkdir -p node_modules/a build; echo theirs >node_modules/a/index.js; echo theirs >build/app'
      // Nothing names them: they stay there.
      expect(await within(tree.path, `kubectl biwarp --on-conflict=${policy} '${command}'`), { code: 0, stderr: '' })
      assert.deepEqual(identities(tree.path), before)
      // These are named, and so conflicts: each file one, or the folder of them.
      const flags = `--on-conflict=${policy} --return .env --return 'node_modules/**' --return 'build/**'`
      const ended = await within(tree.path, `kubectl biwarp ${flags} '${command}'`)
      expect(ended, { code: policy === 'fail' ? 125 : 0, stderr: /\.env.*\n(.*\n)*.*(build|node_modules)/ })
      const after = identities(tree.path)
      for (const [path, identity] of before) assert.equal(after.get(path), identity, path)
    })
  }

  test('a link here, where the command makes a folder or a file, leads nowhere', async () => {
    await using outside = await folderOf({ 'file.txt': 'outside\n' })
    await using tree = await folderOf({ kept: '1' })
    execFileSync('ln', ['-s', outside.path, join(tree.path, 'link')])
    const before = identities(outside.path)
    const command = `'rm link; mkdir link; echo x >link/file.txt; echo y >link/new'`
    expect(await within(tree.path, `kubectl biwarp ${command}`), { code: 0 })
    assert.deepEqual(identities(outside.path), before)
    assert.equal(read(tree, 'link/file.txt'), 'x\n')
  })
})

describe('many deletions', { concurrency: 2, timeout: 120_000 }, () => {
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`sub ${n % 3}/${n}`, `${n}\n`]))

  test('of more than half halt, and are 125', async () => {
    await using tree = await folderOf(files)
    const before = identities(tree.path)
    const ended = await within(tree.path, `kubectl biwarp 'rm -r sub*; echo new >new'`)
    expect(ended, { code: 125, stderr: /^(error|warning): .*12.*\n? *.*--allow-mass-delete/m })
    const after = identities(tree.path)
    for (const [path, identity] of before) assert.equal(after.get(path), identity, path)
    // What is no deletion comes all the same.
    assert.equal(read(tree, 'new'), 'new\n')
  })

  test('of a command that fails leave its exit code', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf(files)
    const before = identities(tree.path)
    expect(await within(tree.path, `kubectl biwarp 'rm -r sub*; exit 3'`), { code: 3, stderr: /--allow-mass-delete/ })
    assert.deepEqual(identities(tree.path), before)
  })

  test('are done with --allow-mass-delete, and half of them without', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf(files)
    const half = `kubectl biwarp 'rm "sub 0/0" "sub 0/3" "sub 1/1" "sub 1/4" "sub 2/2" "sub 2/5"'`
    expect(await within(tree.path, half), { code: 0, stderr: '' })
    assert.equal(pathsIn(tree.path).length, 9)
    await using all = await folderOf(files)
    expect(await within(all.path, `kubectl biwarp --allow-mass-delete 'rm -r sub*'`), { code: 0, stderr: '' })
    assert.deepEqual(pathsIn(all.path), [])
  })

  test('of what the command made itself are its own affair', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf({ kept: '1' })
    const command = `'for n in $(seq 1 20); do echo $n >made.$n; done; sleep 2; rm made.*'`
    expect(await within(tree.path, `kubectl biwarp --return-interval=200ms ${command}`), { code: 0, stderr: '' })
    assert.deepEqual(pathsIn(tree.path), ['kept'])
  })
})

describe('what cannot come back', { concurrency: 2, timeout: 120_000 }, () => {
  test('a file that is too large for here: 125 after 0, and otherwise the code of the command', async () => {
    await using tree = await folderOf({ large: 'as it was', open: '2' })
    const [zero, four] = [0, 4].map((code) => {
      return `(ulimit -f 64; exec kubectl biwarp 'head -c 1000000 /dev/zero >large; echo y >new; exit ${code}')`
    })
    expect(await within(tree.path, zero ?? ''), { code: 125, stderr: /^(error|warning): .*\blarge\b.*/m })
    assert.equal(read(tree, 'large'), 'as it was')
    // It holds up nothing else, and leaves nothing half-done.
    assert.deepEqual(pathsIn(tree.path), ['large', 'new', 'open'])
    expect(await within(tree.path, four ?? ''), { code: 4, stderr: /\blarge\b/ })
    assert.equal(read(tree, 'large'), 'as it was')
  })

  test('what is neither file, folder nor link is told', async () => {
    await using tree = await folderOf({ file: '' })
    const ended = await within(tree.path, `kubectl biwarp 'mkfifo pipe; echo x >new'`)
    expect(ended, { code: 0, stderr: /^warning: .*"pipe"/m })
    assert.deepEqual(pathsIn(tree.path), ['file', 'new'])
  })
})

describe("the README's examples", { concurrency: 2, timeout: 180_000 }, () => {
  const lines = [
    ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^ {4}(kube(?:ctl |)biwarp .*?)(?: +#.*)?$/gm),
  ]
  const project = {
    '.gitignore': '/build/\n',
    'hello.go': 'package hello\nfunc  Hello( ) string { return "hello" }\n',
    Makefile: 'build/app: hello.go\n\tmkdir -p build; cp hello.go build/app\n',
    'generate.js': 'require("node:fs").writeFileSync("generated.js", "// generated\\n")\n',
    'words.txt': 'pear\napple\n',
  }
  /** The image's program, what its line changes, and what is in it then. */
  const expected: Record<string, { program: string; path: string; content: RegExp }> = {
    gofmt: { program: 'gofmt', path: 'hello.go', content: /^func Hello\(\) string/m },
    '--return': { program: 'make', path: 'build/app', content: /^package hello/ },
    'generate.js': { program: 'node', path: 'generated.js', content: /^\/\/ generated$/m },
    'words.txt': { program: 'sort', path: 'words.txt', content: /^apple\npear\n$/ },
  }

  test('each of them is tried below', () => {
    assert.equal(lines.length, Object.keys(expected).length)
  })

  for (const [, line = ''] of lines) {
    test(line, async (t) => {
      const [, { program, path, content } = assert.fail(line)] =
        Object.entries(expected).find(([words]) => line.includes(words)) ?? []
      const script = onSandbox ? line : line.replace(/--image=gcc\S*/, `--image=${images.build}`)
      const [, image = 'alpine:3.20'] = /--image=(\S+)/.exec(script) ?? []
      if (!(await has(t, here, image))) return
      // The README names images of the world, such as golang, which a sandbox makes of this machine's programs.
      if ((await here.sh(`kuberun --image=${image} 'command -v ${program}'`)).code !== 0) {
        return t.skip(`needs ${program} in "${image}"`)
      }
      await using tree = await folderOf(project)
      execFileSync('git', ['init', '-q', tree.path])
      const before = identities(tree.path)
      expect(await within(tree.path, script), { code: 0, stderr: '' })
      assert.match(read(tree, path), content)
      const after = identities(tree.path)
      before.delete(path)
      for (const [other, identity] of before) assert.equal(after.get(other), identity, other)
    })
  }
})

describe('what comes and goes all the time', { timeout: 240_000 }, () => {
  test('edits here and there of different files meet in both folders', { skip: triedElsewhere }, async () => {
    await using tree = await folderOf({ 'here/log': '', 'there/log': '' })
    await using pod = await PodShell.start(here, 'kubectl biwarp --return-interval=200ms', tree.path)
    await pod.ask('(n=0; while [ $n -lt 100 ]; do n=$((n + 1)); echo "$n" >>there/log; sleep 0.03; done) &')
    for (let n = 1; n <= 100; n++) {
      appendFileSync(join(tree.path, 'here/log'), `${n}\n`)
      if (n % 10 === 0) mkdirSync(join(tree.path, `here/${n}`))
      await sleep(20)
    }
    const all = Array.from({ length: 100 }, (_, n) => `${n + 1}\n`).join('')
    await until('the last line of there', () => read(tree, 'there/log') === all)
    await until('the last line of here', async () => (await pod.ask('cat here/log')) === all)
    await pod.isLike(tree.path, withoutFolderTime)
    expect(await pod.end(), { code: 0, stderr: '' })
    assert.deepEqual(besides(tree.path, 'there/log'), [])
    assert.deepEqual(besides(tree.path, 'here/log'), [])
  })
})
