import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import { parseScan, scanFunctions } from '../../src/sync/remote/remote-scan.ts'
import { entriesOf } from '../support/packed.ts'
import { tars } from '../support/tars.ts'
import { fillWithTraps, linkOutside } from '../support/traps.ts'
import { bytesOf, temporaryFolder } from '../support/trees.ts'

const token = '0123456789abcdef'

/** Scans with the programs of one kind alone. */
function scan(folder: string, kind: string): { output: Buffer; code: number | null; stderr: string } {
  const busybox = kind.startsWith('BusyBox')
  const programs = busybox ? 'find() { busybox find "$@"; }; stat() { busybox stat "$@"; };' : ''
  // BusyBox's find looks for `stat` on the PATH.
  const shell = busybox ? ['busybox', 'sh'] : ['sh']
  const script = `${programs}${scanFunctions.replace('-exec stat', busybox ? '-exec busybox stat' : '-exec stat')}; scan ${token}`
  const { stdout, status, stderr } = spawnSync(shell[0] ?? '', [...shell.slice(1), '-c', script], { cwd: folder })
  return { output: stdout, code: status, stderr: stderr.toString() }
}

function sorted(entries: Iterable<Entry>): Entry[] {
  return [...entries].toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

for (const { name, skip } of tars) {
  suite(`a scan by ${name.replace(' tar', '')}’s find`, { skip }, () => {
    test('tells of every trap what this machine tells of it', async () => {
      await using tree = await temporaryFolder()
      fillWithTraps(tree.path)
      linkOutside(tree.path)
      for (const target of ["it's", "' -> '", ' -> x', '\n', "'"]) {
        symlinkSync(target, join(tree.path, `to ${target.replaceAll('/', '_')}`))
      }
      writeFileSync(Buffer.concat([bytesOf(`${tree.path}/`), bytesOf(`\xff' -> '\n. .x`)]), 'x')
      for (const [n, seconds] of [-1.5, -1, 0, 0.25, 2 ** 33].entries()) {
        writeFileSync(join(tree.path, `time ${n}`), '')
        utimesSync(join(tree.path, `time ${n}`), seconds, seconds)
      }
      const { output, code, stderr } = scan(tree.path, name)
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      const { entries, others } = parseScan(output, token)
      assert.deepEqual(sorted(entries.values()), sorted(await entriesOf(tree.path)))
      assert.deepEqual([...others], [])
    })

    test('of an empty folder is empty', async () => {
      await using tree = await temporaryFolder()
      const { output, code } = scan(tree.path, name)
      assert.equal(code, 0)
      assert.equal(parseScan(output, token).entries.size, 0)
    })

    test('names what is neither file nor folder nor link', async () => {
      await using tree = await temporaryFolder()
      mkdirSync(join(tree.path, 'd'))
      execFileSync('mkfifo', [join(tree.path, 'd/pipe')])
      const { entries, others } = parseScan(scan(tree.path, name).output, token)
      assert.deepEqual([...entries.keys()], ['d'])
      assert.deepEqual([...others.keys()], ['d/pipe'])
    })

    test('that is cut anywhere is refused, or is a listing of what came', async () => {
      await using tree = await temporaryFolder()
      for (const file of ['a', 'b']) writeFileSync(join(tree.path, file), file)
      symlinkSync('a', join(tree.path, 'c'))
      const { output } = scan(tree.path, name)
      const whole = parseScan(output, token).entries
      for (let end = 1; end < output.length; end++) {
        try {
          for (const [path, entry] of parseScan(output.subarray(0, end), token).entries)
            assert.deepEqual(entry, whole.get(path))
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          assert.equal((error as { code?: string }).code, 'sync')
        }
      }
    })
  })
}

suite('a listing from a pod', () => {
  test('names what has a path that no program could use', () => {
    const [long, deep] = ['n'.repeat(5_000), 'd/'.repeat(20_000)]
    const text = [long, `${deep}x`, 'a'].map((path) => `f 644 1 1 0.0 0.0 ./${path}\0\0`).join('')
    const { entries, others } = parseScan(Buffer.from(text), token)
    assert.deepEqual([...entries.keys()], ['a'])
    assert.deepEqual([...others.values()], ['its path is too long', 'its path is too long'])
  })

  test('may be as deep as a path can be', () => {
    const path = `${'d/'.repeat(2_000)}x`
    const { entries } = parseScan(Buffer.from(`f 644 1 1 0.0 0.0 ./${path}\0\0`), token)
    assert.deepEqual([...entries.keys()], [path])
  })

  test('of more than anybody has is refused', () => {
    const text = Buffer.alloc(30 * 1_000_001, 'f 644 1 1 0.0 0.0 ./abcdefgh\0\0')
    assert.throws(() => parseScan(text, token), { code: 'sync', message: /more than 1000000 files/ })
  })

  const meta = 'f 644 1 1 0.0 0.0 '
  for (const [title, text] of [
    ['a name that leads out', `${meta}./../x\0\0`],
    ['a name that leads out further in', `${meta}./a/../../x\0\0`],
    ['the root', `${meta}./.\0\0`],
    ['an absolute name', `${meta}.//etc/passwd\0\0`],
    ['an empty name', `${meta}./\0\0`],
    ['a slash at the end', `${meta}./a/\0\0`],
    ['a size beyond all numbers', `f 644 ${'9'.repeat(40)} 1 0.0 0.0 ./a\0\0`],
    ['a size that is none', 'f 644 -1 1 0.0 0.0 ./a\0\0'],
    ['a mode that is none', 'f 9 1 1 0.0 0.0 ./a\0\0'],
    ['half of an entry', `${meta}./a\0`],
    ['something else', 'hello\n'],
    ['a token and nothing', `${token} \n`],
    ['a link that is shorter than its size', `${token} a1ff 9 1 0 d 0:0 z 0 d 0:0 z ./l${token}'./l' -> 'x'\n`],
    ['a link that leads nowhere', `${token} a1ff 1 1 0 d 0:0 z 0 d 0:0 z ./l${token}\n`],
    ['a name in the second way', `${token} 81a4 1 1 0 d 0:0 z 0 d 0:0 z ./../l${token}./../l\n`],
  ] as const) {
    test(`is refused with ${title}`, () => {
      assert.throws(() => parseScan(Buffer.from(text, 'latin1'), token), { code: 'sync', message: /makes no sense/ })
    })
  }
})
