import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { closeFolder, fillWithTraps, linkOutside } from '../support/traps.ts'
import { manifest } from '../support/trees.ts'
import { cProject } from './support/c-project.ts'
import { has, images, toolImages } from './support/images.ts'
import { folderOf } from './support/local-tree.ts'
import { halfWay, longUpload } from './support/long-upload.ts'
import { places } from './support/place.ts'
import { manifestScript, podManifest } from './support/pod-tree.ts'
import { amount, expect, expectError, onSandbox, root } from './support/programs.ts'
import { pieces, put } from './support/random-tree.ts'
import { until } from './support/wait.ts'

const { here, restricted } = await places({
  here: {},
  restricted: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})

/** Runs a script in that folder. */
function within(cwd: string, script: string, place = here) {
  return place.sh(`cd "$1" && shift && ${script}`, { words: [cwd, manifestScript] })
}

describe('what goes up', { concurrency: 2, timeout: 120_000 }, () => {
  for (const image of toolImages) {
    test(`a tree with all that may go wrong is the same in ${image}`, async (t) => {
      if (!(await has(t, here, image))) return
      await using tree = await folderOf()
      fillWithTraps(tree.path)
      linkOutside(tree.path)
      closeFolder(tree.path)
      execFileSync('mkfifo', [join(tree.path, 'pipe\n')])
      const ended = await within(tree.path, `kubectl warp --image ${image} "$1"`)
      expect(ended, { code: 0, stderr: 'warning: not sent: "pipe\\n" (a FIFO)\n' })
      rmSync(join(tree.path, 'pipe\n'))
      const sent = manifest(tree.path, false)
      assert.ok(sent.length > 150)
      assert.deepEqual(podManifest(ended.stdout), sent)
    })
  }

  test('a random tree is the same there', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(pieces, async (all) => {
        await using tree = await folderOf()
        put(tree.path, all)
        const ended = await within(tree.path, 'kubectl warp "$1"')
        // That names of it hold no rules and no repository nobody has ruled out.
        expect(ended, { code: 0, stderr: '' })
        assert.deepEqual(podManifest(ended.stdout), manifest(tree.path, false))
      }),
      { numRuns: amount('KUBERUN_TEST_TREES', 3, 100), interruptAfterTimeLimit: 500_000 },
    )
  })

  test('a C project builds there, without what git ignores, and nothing comes back', async (t) => {
    if (!(await has(t, here, images.build))) return
    await using project = await folderOf(staleProject)
    execFileSync('git', ['init', '-q', project.path])
    const before = manifest(project.path)
    const ended = await within(project.path, `kubectl warp --image ${images.build} 'make && build/app'`)
    expect(ended, { code: 0, stdout: /\n6 times 7 is 42\n$/ })
    assert.match(ended.stdout, /-c src\/main\.c/)
    assert.deepEqual(manifest(project.path), before)
    const list = await within(project.path, `kubectl warp --image ${images.build} 'find . -type f | LC_ALL=C sort'`)
    const files = ['.gitignore', 'Makefile', 'include/times.h', 'src/main.c', 'src/times.c', 'vendor/kept.o']
    expect(list, { code: 0, stdout: files.map((file) => `./${file}\n`).join(''), stderr: '' })
  })

  test('only what INCLUDE names', async () => {
    await using tree = await folderOf({ 'src/a': '', 'src/deep/b': '', 'src/ignored': '', 'other/src/c': '', d: '' })
    writeFileSync(join(tree.path, '.warpignore'), 'ignored\n')
    const ended = await within(tree.path, `kubewarp 'src/**' find . -type f`)
    expect(
      { ...ended, stdout: ended.stdout.split('\n').toSorted().join(' ') },
      {
        code: 0,
        stdout: ' ./src/a ./src/deep/b',
        stderr: '',
      },
    )
  })

  test('an empty folder', async () => {
    await using tree = await folderOf()
    expect(await within(tree.path, `kubectl warp 'pwd; ls -A'`), { code: 0, stdout: '/workspace\n', stderr: '' })
  })
})

/** With what is of another system: with it up there, nothing would be built. */
const staleProject = {
  ...cProject,
  '.gitignore': '/build/\n*.o\n!/vendor/kept.o\n',
  'build/app': 'stale',
  'build/main.o': 'stale',
  'src/x.o': 'stale',
  'vendor/kept.o': 'kept',
}

describe('where it goes', { concurrency: 2, timeout: 120_000 }, () => {
  test('--remote-dir, where the command starts', async () => {
    await using tree = await folderOf({ 'a file': 'content' })
    const ended = await within(
      tree.path,
      `kubectl warp --remote-dir '/srv/my app' 'pwd; cat "a file"; ls -A /workspace'`,
    )
    expect(ended, { code: 1, stdout: '/srv/my app\ncontent', stderr: /No such file/ })
  })

  test('--workdir has the last word on where the command starts', async () => {
    await using tree = await folderOf({ sub: '' })
    const flags = '--remote-dir /srv/app --workdir /tmp'
    expect(await within(tree.path, `kubectl warp ${flags} 'pwd; ls /srv/app'`), { code: 0, stdout: '/tmp\nsub\n' })
  })

  test('--dir, through a link', async () => {
    await using tree = await folderOf({ 'one/file': '1', 'two/file': '2' })
    execFileSync('ln', ['-s', 'two', join(tree.path, 'link')])
    expect(await within(tree.path, 'kubectl warp --dir link cat file'), { code: 0, stdout: '2', stderr: '' })
  })

  test('an image that has neither shell nor tar', async (t) => {
    if (!(await has(t, here, images.static))) return
    await using tree = await folderOf({ 'a/b': 'content', c: '' })
    for (const flags of ['--tools=always', '']) {
      const ended = await within(tree.path, `kubectl warp ${flags} --image ${images.static} 'pwd; /app cat <a/b; ls'`)
      expect(ended, { code: 0, stdout: '/workspace\ncontenta\nc\n', stderr: '' })
    }
    const never = await within(tree.path, `kubectl warp --tools=never --image ${images.static} -- /app x`)
    expectError(never, /shell/)
  })

  test('an image whose user is not root', async (t) => {
    if (!(await has(t, here, images.nonroot))) return
    await using tree = await folderOf({ 'a/b': 'content' })
    chmodSync(join(tree.path, 'a/b'), 0o400)
    const script = `'id -u; stat -c "%u %a" a/b; cat a/b; echo x >new; echo y >a/new; rm a/b'`
    const ended = await within(tree.path, `kubectl warp --image ${images.nonroot} ${script}`)
    expect(ended, { code: 0, stdout: '1000\n1000 400\ncontent', stderr: '' })
  })

  test('a namespace of the "restricted" Pod Security Standard', async () => {
    await using tree = await folderOf({ 'a/b': 'content' })
    const ended = await within(tree.path, `kubectl warp 'id -u; cat a/b; echo x >a/new; cat a/new'`, restricted)
    expect(ended, { code: 0, stdout: '65532\ncontentx\n', stderr: /^warning: .*"restricted".*\n$/ })
  })

  test('a uid that the image does not know, and a root file system that cannot be written', async () => {
    await using tree = await folderOf({ 'a/b': 'content' })
    const securityContext = { readOnlyRootFilesystem: true, runAsUser: 12345, runAsGroup: 12345 }
    const patch = JSON.stringify({ spec: { containers: [{ name: 'kuberun', securityContext }] } })
    const flags = `--override-type strategic --overrides '${patch}'`
    const ended = await within(tree.path, `kubectl warp ${flags} 'id -u; cat a/b; echo x >a/new; cat a/new'`)
    expect(ended, { code: 0, stdout: '12345\ncontentx\n', stderr: '' })
  })
})

describe('what fails, and what is only said', { concurrency: 2, timeout: 120_000 }, () => {
  const wrong: [flags: string, sentence: RegExp][] = [
    ['--dir missing', /^error: there is no folder "missing"\n/],
    ['--dir sub/file', /^error: "sub\/file" is no folder\n/],
    ['--dir ""', /^error: invalid folder "": must not be empty/],
    ['--max-upload 3kB', /^error: .*more than --max-upload=3kB; the largest: sub\/file 4 kB\n/],
    ['--max-upload much', /^error: invalid argument "much" for "--max-upload"/],
    ['--include "a["', /^error: invalid argument "a\[" for "--include" flag: has a "\[" that is never closed/],
    ['--exclude "#x"', /^error: invalid argument "#x" for "--exclude" flag: is a comment/],
    ['--remote-dir relative', /^error: invalid remote folder "relative": must be an absolute path/],
    ['--remote-dir /proc/x', /^error: invalid remote folder "\/proc\/x": must not be in \/proc/],
  ]
  for (const [flags, sentence] of wrong) {
    test(`${flags} is one sentence, and 125`, async () => {
      await using tree = await folderOf({ 'sub/file': 'x'.repeat(4_000), 'sub/other': 'x'.repeat(500) })
      const ended = await within(tree.path, `kubectl warp ${flags} echo ran`)
      expectError(ended, sentence)
      assert.equal(ended.stdout, '')
    })
  }

  test('an --include that matches nothing is a warning', async () => {
    await using tree = await folderOf({ file: '' })
    expect(await within(tree.path, `kubectl warp --include '*.none' ls -A`), {
      code: 0,
      stdout: '',
      stderr: /^warning: --include "\*\.none" matches nothing .*\n$/,
    })
  })

  test('a file that cannot be read is a warning, and with --strict a failure', async () => {
    await using tree = await folderOf({ 'a/closed': 'x', open: 'y' })
    chmodSync(join(tree.path, 'a/closed'), 0)
    // Root reads all, but without these capabilities.
    const isRoot = process.getuid?.() === 0
    const as = isRoot ? 'setpriv --bounding-set=-dac_override,-dac_read_search --' : ''
    expect(await within(tree.path, `${as} kubectl warp 'find . -type f'`), {
      code: 0,
      stdout: './open\n',
      stderr: /^warning: not sent.*a\/closed.*EACCES.*\n$/,
    })
    expectError(await within(tree.path, `${as} kubectl warp --strict echo ran`), /cannot read .*a\/closed.*EACCES/)
  })
})

describe('the command', { concurrency: 2, timeout: 120_000 }, () => {
  test('has its stdin, its stdout, its stderr and its exit code', async () => {
    await using tree = await folderOf({ file: 'from the folder\n' })
    const ended = await within(tree.path, `printf 'from stdin\\n' | kubectl warp 'cat file -; echo err >&2; exit 7'`)
    expect(ended, { code: 7, stdout: 'from the folder\nfrom stdin\n', stderr: 'err\n' })
    expect(await within(tree.path, 'kubectl warp no-such-program'), { code: 127 })
    expect(await within(tree.path, 'kubectl warp ./file'), { code: 126 })
    expect(await within(tree.path, `kubectl warp 'kill -9 $$'`), { code: 137 })
  })

  test('gets signals, and has its own exit code after them', async () => {
    await using tree = await folderOf({ file: '' })
    const command = `'trap "echo got TERM; exit 5" TERM; echo up; sleep 60 & wait'`
    const run = here.start(`cd "$1" && exec kubectl warp ${command}`, { words: [tree.path] })
    await until('the command', () => run.stdout() === 'up\n')
    run.kill('SIGTERM')
    expect(await run.ended, { code: 5, stdout: 'up\ngot TERM\n' })
  })

  test('--timeout ends it', async () => {
    await using tree = await folderOf({ file: '' })
    expect(await within(tree.path, 'kubectl warp --timeout 1s sleep 60'), { code: 124 })
  })

  test('is not run where the upload is interrupted, and we end by that signal', async () => {
    await using tree = await folderOf()
    const run = here.start(longUpload, { words: [tree.path] })
    await halfWay(run)
    run.kill('SIGTERM')
    const ended = await run.ended
    expect(ended, { code: 143, stdout: '' })
    assert.doesNotMatch(ended.stderr, /error:/)
  })
})

describe("the README's examples", { concurrency: 2, timeout: 180_000 }, () => {
  const lines = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^ {4}(kube(?:ctl |)warp .*?)(?: +#.*)?$/gm)]
  const project = {
    'go.mod': 'module example.com/hello\n\ngo 1.21\n',
    'hello_test.go': 'package hello\n\nimport "testing"\n\nfunc TestHello(t *testing.T) {}\n',
    'server.js': 'console.log("the first"); setInterval(() => {}, 1000)\n',
    'src/a.test.js': 'require("node:test").test("of the folder", () => {})\n',
    Makefile: 'all:\n\t@echo made\ntest:\n\t@echo tested\n',
  }
  /** The image's program, and how its line is ended and what it has to print. */
  const expected: Record<string, { program: string; code: number; seen: RegExp; after?: RegExp }> = {
    'go test': { program: 'go', code: 0, seen: /^ok/m },
    'node --watch': { program: 'node', code: 0, seen: /the first/, after: /the second/ },
    '--on-sync': { program: 'make', code: 143, seen: /^$/, after: /made/ },
    'make test': { program: 'make', code: 0, seen: /^tested$/m },
    'node --test': { program: 'node', code: 0, seen: /of the folder/ },
  }

  test('each of them is tried below', () => {
    assert.equal(lines.length, Object.keys(expected).length)
  })

  for (const [, line = ''] of lines) {
    test(line, async (t) => {
      const [, { program, code, seen, after } = assert.fail(line)] =
        Object.entries(expected).find(([words]) => line.includes(words)) ?? []
      const ours = onSandbox ? line : line.replace(/--image=gcc\S*/, `--image=${images.build}`)
      const [, image = ''] = /--image=(\S+)/.exec(ours) ?? []
      if (!(await has(t, here, image))) return
      // The README names images of the world, such as golang; a cluster without a way to them has others.
      if ((await here.sh(`kuberun --image=${image} 'command -v ${program}'`)).code !== 0) {
        t.skip(`needs ${program} in "${image}"`)
        return
      }
      await using tree = await folderOf(project)
      const run = here.start(`cd "$1" && exec ${ours}`, { words: [tree.path], timeout: 120_000 })
      if (after === undefined) return expect(await run.ended, { code, stdout: seen })
      const prints = (what: RegExp) => until(String(what), () => what.test(run.stdout() + run.stderr()))
      await prints(seen)
      let n = 0
      await until(
        'what the change brings',
        () => {
          // Until the command runs, nothing tells that a change will be one.
          writeFileSync(
            join(tree.path, 'server.js'),
            `console.log("the second"); setInterval(() => {}, ${1000 + n++})\n`,
          )
          return after.test(run.stdout() + run.stderr())
        },
        { every: 1_000 },
      )
      run.kill('SIGTERM')
      expect(await run.ended, { code })
    })
  }
})
