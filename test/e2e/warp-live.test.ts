import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { has, toolImages } from './support/images.ts'
import { folderOf } from './support/local-tree.ts'
import { halfWay, longUpload } from './support/long-upload.ts'
import { kubectl, nothingLeft, ours, places } from './support/place.ts'
import { PodShell } from './support/pod-tree.ts'
import { amount, expect, folder, onSandbox } from './support/programs.ts'
import { pieces, put } from './support/random-tree.ts'
import { until } from './support/wait.ts'

const { here, killed } = await places({ here: {}, killed: {} })

/** A folder's mtime alone is no change. */
const withoutFolderTime = (line: string): string => line.replace(/^(.* folder \d+) -?\d+$/, '$1')

const notGit = (line: string): string | undefined => (/^"\.git[/"]/.test(line) ? undefined : line)

/** A file whose every content shows whether it is whole. */
const lineLength = 2_000
const contentOf = (n: number): string => `${String(n % 10).repeat(lineLength)}\n`

/** Reads a file again and again, and tells of each content that nobody wrote. */
const reader = `
n=0
while [ ! -e /tmp/stop ]; do
  c=
  read -r c <watched
  case $c in "") echo none ;; *[!"$(printf %.1s "$c")"]*) echo mixed ;; esac >>/tmp/bad
  [ \${#c} = ${lineLength} ] || echo "length \${#c}" >>/tmp/bad
  n=$((n + 1))
  sleep 0.01
done
echo "$n" >/tmp/reads`

describe('while the command runs', { concurrency: 3, timeout: 240_000 }, () => {
  // First, as it mostly waits.
  test('a client that is killed half-way through the upload leaves no container that runs, and no pod', async (t) => {
    await using tree = await folderOf()
    const run = killed.start(longUpload, { words: [tree.path, '--orphan-timeout=5s'] })
    await halfWay(run)
    // What an API server says of it lags behind.
    await until('the pod to run', async () => /Pod\/\S+ Running/.test((await ours([killed.namespace])).join('\n')))
    const owners = await kubectl(`get pods -n ${killed.namespace} -o jsonpath='{.items[*].metadata.ownerReferences}'`)
    run.kill('SIGKILL')
    const begin = performance.now()
    expect(await run.ended, { code: 137, stdout: '' })
    await until('the container to end', async () => !/ Running/.test((await ours([killed.namespace])).join('\n')), {
      within: 20_000,
    })
    assert.ok(performance.now() - begin > 1_000)
    if (owners === '') {
      t.diagnostic('the guard was not made in time: the next run sweeps')
      expect(await killed.sh('kuberun true'), { code: 0 })
    }
    await nothingLeft([killed.namespace], 60_000)
  })

  for (const image of toolImages) {
    test(`in ${image}, 200 edits of a file arrive, and never half of one`, async (t) => {
      if (!(await has(t, here, image))) return
      await using tree = await folderOf({ watched: contentOf(0), 'sub/other': 'x' })
      await using pod = await PodShell.start(here, `kubectl warp --image ${image}`, tree.path)
      await pod.ask(`(${reader}\n) >/dev/null 2>&1 &`)
      const beside = join(folder, `edit-${image.replaceAll(/\W/g, '-')}`)
      for (let edit = 1; edit <= 200; edit++) {
        writeFileSync(beside, contentOf(edit))
        renameSync(beside, join(tree.path, 'watched'))
        if (edit % 20 !== 0) continue
        const last = contentOf(edit).slice(0, 9)
        await until(`edit ${edit}`, async () => (await pod.ask('head -c 9 watched')) === last, { every: 20 })
      }
      renameSync(join(tree.path, 'sub/other'), join(tree.path, 'renamed'))
      await pod.isLike(tree.path)
      await pod.ask('touch /tmp/stop; until [ -s /tmp/reads ]; do sleep 0.1; done')
      assert.equal(await pod.ask('cat /tmp/bad'), '')
      assert.ok(Number(await pod.ask('cat /tmp/reads')) > 20)
      expect(await pod.end(), { code: 0, stderr: '' })
    })

    const files = onSandbox ? 100 : 500
    test(`in ${image}, a checkout of a branch with ${files} other files arrives, and so does the way back`, async (t) => {
      if (!(await has(t, here, image))) return
      await using tree = await folderOf()
      // Not at once: the sandbox is in this process.
      const git = (...words: string[]) =>
        promisify(execFile)('git', ['-C', tree.path, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words])
      const fill = (content: string, moved: string) => {
        for (let n = 0; n < files; n++) {
          // A part is elsewhere on the other branch.
          const sub = join(tree.path, n % 5 === 0 ? moved : 'same', `folder ${n % 7}`)
          mkdirSync(sub, { recursive: true })
          writeFileSync(join(sub, `${n}`), `${content} ${n}\n`)
        }
      }
      await git('init', '-q', '-b', 'one')
      fill('one', 'here')
      await git('add', '.')
      await git('commit', '-qm', 'one')
      await git('checkout', '-qb', 'two')
      rmSync(join(tree.path, 'here'), { recursive: true })
      fill('two', 'there')
      await git('add', '.')
      await git('commit', '-qm', 'two')
      await using pod = await PodShell.start(here, `kubectl warp --image ${image}`, tree.path)
      await pod.isLike(tree.path, notGit)
      for (const branch of ['one', 'two']) {
        await git('checkout', '-q', branch)
        await pod.isLike(tree.path, notGit)
      }
      expect(await pod.end(), { code: 0, stderr: '' })
    })

    test(`in ${image}, things of one kind take the place of another`, async (t) => {
      if (!(await has(t, here, image))) return
      await using tree = await folderOf({ 'thing/a/b': '1', 'thing/c': '2', other: '3' })
      const thing = join(tree.path, 'thing')
      await using pod = await PodShell.start(here, `kubectl warp --image ${image}`, tree.path)
      const steps: (() => void)[] = [
        () => writeFileSync(thing, 'a file'),
        () => mkdirSync(thing),
        () => execFileSync('ln', ['-s', 'other', thing]),
        () => mkdirSync(join(thing, 'deep/er'), { recursive: true }),
        () => execFileSync('ln', ['-s', '/tmp', thing]),
        () => writeFileSync(thing, 'a file again', { mode: 0o755 }),
      ]
      for (const step of steps) {
        rmSync(thing, { recursive: true })
        step()
        await pod.isLike(tree.path)
      }
      assert.equal(await pod.ask('cat other'), '3')
      expect(await pod.end(), { code: 0, stderr: '' })
    })
  }

  test('random changes arrive', { timeout: 600_000 }, async () => {
    await using tree = await folderOf()
    await using pod = await PodShell.start(here, 'kubectl warp', tree.path, { timeout: 600_000 })
    await fc.assert(
      fc.asyncProperty(pieces, async (all) => {
        put(tree.path, all)
        await pod.isLike(tree.path, withoutFolderTime)
      }),
      // What a run has left is what the next one begins with: none of them can be made smaller.
      { numRuns: amount('KUBERUN_TEST_TREES', 6, 200), endOnFailure: true },
    )
    expect(await pod.end(), { code: 0, stderr: '' })
  })

  test('what the command does there stays, and what is ignored here is no change', async () => {
    await using tree = await folderOf({ '.gitignore': 'ignored/\n', 'sub/file': '1', 'sub/gone': '' })
    await using pod = await PodShell.start(here, 'kubectl warp', tree.path)
    await pod.ask('mkdir ignored; echo there >ignored/file; echo made >sub/made')
    mkdirSync(join(tree.path, 'ignored'))
    writeFileSync(join(tree.path, 'ignored/file'), 'here')
    writeFileSync(join(tree.path, 'sub/file'), '2')
    rmSync(join(tree.path, 'sub/gone'))
    await until('the change', async () => (await pod.ask('cat sub/file; ls sub')) === '2file\nmade\n')
    assert.equal(await pod.ask('cat ignored/file sub/made'), 'there\nmade\n')
    rmSync(join(tree.path, 'sub'), { recursive: true })
    await until('the deletion', async () => (await pod.ask('ls sub')) === 'made\n')
    expect(await pod.end(), { code: 0, stderr: '' })
  })

  test('a .gitignore that changes is obeyed from then on, and deletes nothing', async () => {
    await using tree = await folderOf({ 'a.log': '1', 'b.txt': '1', 'sub/c.log': '1' })
    await using pod = await PodShell.start(here, 'kubectl warp', tree.path)
    const at = (path: string) => join(tree.path, path)
    writeFileSync(at('.gitignore'), '*.log\n')
    await until('the rules', async () => (await pod.ask('cat .gitignore')) === '*.log\n')
    for (const path of ['a.log', 'b.txt', 'sub/c.log', 'sub/new.log', 'sub/new.txt']) writeFileSync(at(path), '2')
    const all = 'cat a.log b.txt sub/*'
    await until('the changes', async () => (await pod.ask(all)) === '1212')
    writeFileSync(at('.gitignore'), '')
    await until('what is ignored no more', async () => (await pod.ask(all)) === '22222')
    expect(await pod.end(), { code: 0, stderr: '' })
  })

  test('what takes the place of a folder that is ignored by now arrives', async () => {
    await using tree = await folderOf({ 'thing/file': '1' })
    await using pod = await PodShell.start(here, 'kubectl warp', tree.path)
    writeFileSync(join(tree.path, '.gitignore'), 'thing/\n')
    await until('the rules', async () => (await pod.ask('cat .gitignore thing/file')) === 'thing/\n1')
    rmSync(join(tree.path, 'thing'), { recursive: true })
    writeFileSync(join(tree.path, 'thing'), 'a file')
    await pod.isLike(tree.path)
    expect(await pod.end(), { code: 0, stderr: '' })
  })

  test('with --once nothing goes up any more', async () => {
    await using tree = await folderOf({ file: '1' })
    await using once = await PodShell.start(here, 'kubectl warp --once', tree.path)
    // One that keeps up shows how long a change may take.
    await using other = await PodShell.start(here, 'kubectl warp', tree.path)
    for (const content of ['2', '3', '4']) {
      writeFileSync(join(tree.path, 'file'), content)
      await until('the change', async () => (await other.ask('cat file')) === content)
    }
    assert.equal(await once.ask('cat file'), '1')
    expect(await once.end(), { code: 0, stderr: '' })
    expect(await other.end(), { code: 0, stderr: '' })
  })

  test('--on-sync runs after each batch, never twice at a time, and prints to stderr', async () => {
    await using tree = await folderOf({ 'a b': '0', 'sub/é': '0', gone: '' })
    const line =
      'mkdir /tmp/lock || echo TWICE; echo "[$(echo "$WARP_CHANGED" | sort | tr "\\\\n" ,)] $(cat "a b") $(pwd)"; ' +
      'sleep 0.3; rmdir /tmp/lock; cat; [ ! -e fail ] || exit 3'
    await using pod = await PodShell.start(here, `kubectl warp --on-sync '${line}'`, tree.path)
    const printed = (text: string) => until(text, () => pod.run.stderr().includes(text), { every: 20 })
    assert.equal(pod.run.stderr(), '')
    writeFileSync(join(tree.path, 'a b'), '1')
    await printed('[a b,] 1 /workspace\n')
    // What comes while it runs is one more run, with all that has changed.
    for (let n = 2; n <= 5; n++) {
      writeFileSync(join(tree.path, 'a b'), `${n}`)
      writeFileSync(join(tree.path, 'sub/é'), `${n}`)
      await until('the change', async () => (await pod.ask('cat "a b" sub/*')) === `${n}${n}`)
    }
    await printed('] 5 /workspace\n')
    rmSync(join(tree.path, 'gone'))
    await until('the deletion', () => /gone,[^\]]*\] 5 /.test(pod.run.stderr()), { every: 20 })
    writeFileSync(join(tree.path, 'fail'), '')
    await printed('warning: --on-sync ended with exit code 3\n')
    const ended = await pod.end()
    expect(ended, { code: 0, stderr: /sub\/é,\]/ })
    assert.doesNotMatch(ended.stderr, /TWICE/)
    assert.doesNotMatch(ended.stdout, /\[/)
  })

  test('a line that grows all the time arrives', async () => {
    await using tree = await folderOf({ log: '' })
    await using pod = await PodShell.start(here, 'kubectl warp', tree.path)
    const writing = setInterval(() => appendFileSync(join(tree.path, 'log'), 'x'), 5)
    try {
      await until('some of it', async () => Number(await pod.ask('wc -c <log')) > 20)
    } finally {
      clearInterval(writing)
    }
    await pod.isLike(tree.path)
    expect(await pod.end(), { code: 0, stderr: '' })
  })
})
