import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asUser } from './support/account.ts'
import { triedElsewhere } from './support/ground.ts'
import { has, images } from './support/images.ts'
import { places } from './support/place.ts'
import { amount, expect, expectError, onSandbox } from './support/programs.ts'

const { admin, restricted } = await places({
  admin: {},
  restricted: {
    labels: {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})
const limited = await asUser(admin, 'dev')

const ordinary = 'a user with no other right than the Role gives'
// A sandbox asks an admin nothing: there it is the same with fewer checks.
for (const user of onSandbox ? [ordinary] : ['an admin', ordinary]) {
  const place = user === 'an admin' ? admin : limited

  describe(`the commands of every day, as ${user}`, { concurrency: 3, timeout: 240_000 }, () => {
    test('echo', async () => {
      expect(await place.sh('kubectl kuberun echo hi'), { code: 0, stdout: 'hi\n', stderr: '' })
    })

    test('stdin goes to the command', async () => {
      expect(await place.sh('echo data | kubectl kuberun cat'), { code: 0, stdout: 'data\n', stderr: '' })
    })

    test('stdout, stderr and the exit code are the command’s', async () => {
      const script = `d=$(mktemp -d) && cd $d && kubectl kuberun 'echo a; echo b >&2; exit 3' >out 2>err; echo $?
        od -c out; od -c err`
      expect(await place.sh(script), { code: 0, stdout: '3\n0000000   a  \\n\n0000002\n0000000   b  \\n\n0000002\n' })
    })

    test('a command that a signal kills', async () => {
      const ended = await place.sh(`kubectl kuberun -- sh -c 'kill -9 $$'`)
      expect(ended, { code: 137, stdout: '' })
      assert.doesNotMatch(ended.stderr, /memory|limit/)
    })

    test('a command that does not exist', async () => {
      expect(await place.sh('kubectl kuberun nosuch'), { code: 127, stdout: '', stderr: /nosuch/ })
    })

    test('a command that cannot be executed', async () => {
      expect(await place.sh('kubectl kuberun /etc/passwd'), { code: 126, stdout: '' })
    })

    test('words arrive byte for byte', async () => {
      const ended = await place.sh(`kubectl kuberun -- printf '%s|' a 'b c' '' '*' "d'e"`)
      expect(ended, { code: 0, stdout: "a|b c||*|d'e|", stderr: '' })
    })

    test('hostile words arrive byte for byte', async () => {
      const words = [
        '-n',
        '--',
        '$(HOME)',
        '$$',
        '`id`',
        'a\nb',
        '\t',
        '\\',
        '"',
        "'''",
        '💥',
        '%s',
        '~',
        '\u{fe}',
        '--env-file=x',
        '{}',
        '$(K)\\n',
      ]
      const ended = await place.sh(`kuberun -- printf '<%s>' "$@"`, { words })
      expect(ended, { code: 0, stdout: words.map((word) => `<${word}>`).join(''), stderr: '' })
    })

    const many = amount('KUBERUN_TEST_AT_ONCE', onSandbox ? 8 : 20, 20)
    test(`${many} at once`, async () => {
      const ended = await place.sh(`seq 1 ${many} | xargs -P20 -I{} kuberun echo {} | sort -n`)
      expect(ended, { code: 0, stdout: Array.from({ length: many }, (_, n) => `${n + 1}\n`).join(''), stderr: '' })
    })

    test('more words than fit into a request', async () => {
      const ended = await place.sh(`seq 1 50000 | xargs -n 20000 kuberun -- sh -c 'echo $#' sh`)
      expect(ended, { code: 0, stdout: '20000\n20000\n10000\n', stderr: '' })
    })

    test('long words of any kind arrive byte for byte', async () => {
      const words = ["it's", 'a\nb', '', 'x'.repeat(100_000), '\\', '$x `y`', '💥']
      const ended = await place.sh(`kuberun -- printf '<%s>' "$@"`, { words })
      expect(ended, { code: 0, stdout: words.map((word) => `<${word}>`).join(''), stderr: '' })
    })

    test('an input that nobody ends does not hold the run up', async () => {
      const ended = await place.sh(
        'exec 3< <(exec sleep 100); kuberun true <&3; code=$?; kill %% $! 2>/dev/null; exit $code',
      )
      expect(ended, { code: 0, stdout: '', stderr: '' })
      assert.ok(ended.milliseconds < 20_000, `took ${ended.milliseconds} ms`)
    })

    test('an image without a shell', async (t) => {
      if (!(await has(t, admin, images.static))) return
      expect(await place.sh(`kuberun --image ${images.static} -- /app x`), { code: 0, stdout: 'x\n', stderr: '' })
    })

    test('an image without a shell, with a line for a shell', async (t) => {
      if (!(await has(t, admin, images.static))) return
      const ended = await place.sh(`kuberun --image ${images.static} '/app x | sed s/x/y/; /app exit 7'`)
      expect(ended, { code: 7, stdout: 'y\n', stderr: '' })
    })

    test('an image without a shell, its stdin and its exit code', async (t) => {
      if (!(await has(t, admin, images.static))) return
      const ended = await place.sh(`echo data | kuberun --image ${images.static} -- /app cat`)
      expect(ended, { code: 0, stdout: 'data\n', stderr: '' })
      expect(await place.sh(`kuberun --image ${images.static} -- /app exit 5`), { code: 5, stdout: '' })
    })

    test('an image with a user of its own', async (t) => {
      if (!(await has(t, admin, images.nonroot))) return
      expect(await place.sh(`kuberun --image ${images.nonroot} id`), { code: 0, stdout: /^uid=1000\b/, stderr: '' })
    })

    test('an image with GNU programs', async (t) => {
      if (!(await has(t, admin, images.debian))) return
      const ended = await place.sh(`kuberun --image ${images.debian} 'seq 1 3 | tac; exit 9'`)
      expect(ended, { code: 9, stdout: '3\n2\n1\n', stderr: '' })
    })
  })
}

describe('in a namespace of the "restricted" Pod Security Standard', { concurrency: 3, timeout: 120_000 }, () => {
  test('the run is made to comply, and says so', async () => {
    const ended = await restricted.sh('kubectl kuberun id')
    expect(ended, { code: 0, stdout: /^uid=[1-9]/, stderr: /^warning: .*"restricted".* uid \d+/ })
    assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr)
  })

  test('HOME can be written', async () => {
    expect(await restricted.sh(`kuberun 'echo x >~/f && cat ~/f'`), { code: 0, stdout: 'x\n' })
  })

  test('a user that the image chose is kept', async (t) => {
    if (!(await has(t, admin, images.nonroot))) return
    expect(await restricted.sh(`kuberun --image ${images.nonroot} id`), { code: 0, stdout: /^uid=1000\b/ })
  })

  test('a uid that the overrides chose is kept', async () => {
    const overrides = JSON.stringify({ spec: { securityContext: { runAsUser: 4321 } } })
    expect(await restricted.sh(`kuberun --overrides '${overrides}' id -u`), { code: 0, stdout: '4321\n' })
  })

  test('an image without a shell', async (t) => {
    if (!(await has(t, admin, images.static))) return
    expect(await restricted.sh(`kuberun --image ${images.static} -- /app x`), { code: 0, stdout: 'x\n' })
  })

  test('stdin, long words and signals work there too', async () => {
    expect(await restricted.sh('head -c 100000 /dev/zero | kuberun wc -c'), { code: 0, stdout: '100000\n' })
    expect(await restricted.sh(`kuberun -- sh -c 'echo $#' sh $(seq 5000)`), { code: 0, stdout: '5000\n' })
    expect(await restricted.sh(`kuberun -q --timeout 1s sleep 60`), { code: 124 })
  })
})

describe('what a shell makes of a run', { concurrency: 3, timeout: 120_000 }, () => {
  test('a loop that reads a list runs for every line where stdin is kept from the runs', async () => {
    const ended = await admin.sh('seq 3 | while read -r n; do kuberun --stdin=false echo $n; done')
    expect(ended, { code: 0, stdout: '1\n2\n3\n', stderr: '' })
  })

  test('false is false and true is true', async () => {
    const ended = await admin.sh('kuberun true && ! kuberun false && if kuberun -- test 1 -eq 2; then exit 1; fi')
    expect(ended, { code: 0, stdout: '', stderr: '' })
  })

  test('every exit code arrives', async () => {
    const all = [1, 2, 64, 124, 125, 126, 127, 128, 130, 137, 143, 200, 254, 255]
    const codes = triedElsewhere ? [2, 125, 130, 255] : all
    const ended = await admin.sh(
      `printf '%s\\n' "$@" | xargs -P4 -I{} bash -c 'kuberun -- sh -c "exit {}" 2>/dev/null; echo {} $?'`,
      {
        words: codes.map(String),
      },
    )
    const got = ended.stdout
      .trim()
      .split('\n')
      .toSorted((a, b) => parseInt(a, 10) - parseInt(b, 10))
    assert.deepEqual(
      got,
      codes.map((code) => `${code} ${code}`),
      ended.stderr,
    )
  })

  test('output without a last newline, and no output at all', async () => {
    expect(await admin.sh('kuberun -- printf x'), { code: 0, stdout: 'x', stderr: '' })
    expect(await admin.sh('kuberun :'), { code: 127 })
    expect(await admin.sh(`kuberun ': '`), { code: 0, stdout: '', stderr: '' })
  })

  test('what is left in the background does not hold the run up', async () => {
    const ended = await admin.sh(`kuberun 'sleep 300 & echo done'`)
    expect(ended, { code: 0, stdout: 'done\n', stderr: '' })
    assert.ok(ended.milliseconds < 15_000, `took ${ended.milliseconds} ms`)
  })

  test('no argument at all is a mistake', async () => {
    expectError(await admin.sh('kubectl kuberun'), /command/)
    expectError(await admin.sh('kubectl kuberun --'), /command/)
    expectError(await admin.sh(`kubectl kuberun ''`), /./)
  })
})
