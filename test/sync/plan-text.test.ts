import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PlanEntry, UploadPlan } from '../../src/sync/plan/plan.ts'
import { planObject } from '../../src/sync/plan/plan-object.ts'
import { planText } from '../../src/sync/plan/plan-text.ts'

function plan(entries: PlanEntry[], totals: Partial<UploadPlan['totals']> = {}): UploadPlan {
  return { root: '/root', entries, totals: { files: 0, folders: 0, links: 0, bytes: 0, ...totals } }
}

function file(path: string, size: number, reason = 'not ignored'): PlanEntry {
  return { answer: 'in', type: 'file', path, size, reason }
}

suite('the text of a plan', () => {
  test('is a table, the sums and what is largest', () => {
    const entries: PlanEntry[] = [
      { answer: 'out', type: 'folder', path: '.git', reason: '.git' },
      { answer: 'out', type: 'file', path: 'a.log', size: 999, reason: '.gitignore:1: *.log' },
      { answer: 'in', type: 'folder', path: 'data', reason: 'not ignored' },
      file('data/large', 61_234_567),
      file('data/more', 5_000),
      { answer: 'in', type: 'link', path: 'link', reason: 'not ignored' },
      file('main.ts', 12_345),
      { answer: 'skipped', type: 'other', path: 'socket', reason: 'a socket' },
    ]
    const totals = { files: 1_234, folders: 56, links: 3, bytes: 61_251_912 }
    assert.equal(
      planText(plan(entries, totals)),
      `STATUS      SIZE  PATH        WHY
out            -  .git/       .git
out        999 B  a.log       .gitignore:1: *.log
in             -  data/       not ignored
in       61.2 MB  data/large  not ignored
in          5 kB  data/more   not ignored
in          link  link        not ignored
in       12.3 kB  main.ts     not ignored
skipped        -  socket      a socket

1,234 files, 56 folders, 3 links: 61.3 MB would go up
2 paths stay out, 1 cannot be sent

largest files:
  61.2 MB  data/large
  12.3 kB  main.ts
     5 kB  data/more

largest folders:
  61.2 MB  data/
`,
    )
  })

  test('of an empty folder says so', () => {
    assert.equal(planText(plan([])), 'nothing would go up\n')
  })

  test('counts one of a kind, and leaves out the kinds that there are none of', () => {
    const one: PlanEntry = { answer: 'out', type: 'other', path: 'b', reason: 'x' }
    assert.match(
      planText(plan([one, file('a', 1)], { files: 1, bytes: 1 })),
      /^1 file: 1 B would go up\n1 path stays out\n/m,
    )
    assert.match(planText(plan([one], { links: 2 })), /^2 links: 0 B would go up$/m)
  })

  test('names five files and five folders at the most, none that is empty', () => {
    const entries = Array.from({ length: 9 }, (_, n) => file(`d${n}/f`, n * 1000))
    const [, , files, folders] = planText(plan(entries)).split('\n\n')
    assert.equal(files, 'largest files:\n  8 kB  d8/f\n  7 kB  d7/f\n  6 kB  d6/f\n  5 kB  d5/f\n  4 kB  d4/f')
    assert.equal(folders, 'largest folders:\n  8 kB  d8/\n  7 kB  d7/\n  6 kB  d6/\n  5 kB  d5/\n  4 kB  d4/\n')
    assert.doesNotMatch(planText(plan([file('a/b', 0)])), /largest/)
  })

  test('adds up what is deep in a folder, and leaves out what stays here', () => {
    const out: PlanEntry = { ...file('b/large', 9_000_000), answer: 'out' }
    const text = planText(plan([file('a/b/c/d', 1_000), file('a/e', 2_000), out, file('ab', 5)]))
    assert.match(text, /largest folders:\n {2}3 kB {2}a\/\n$/)
    assert.doesNotMatch(text.slice(text.indexOf('largest files')), /b\/large/)
  })

  test('shows what a terminal would obey, and bytes that are not UTF-8', () => {
    for (const [path, shown] of [
      ['a\nb', 'a\\nb'],
      ['a\r\nb', 'a\\x0d\\nb'],
      ['a\tb', 'a\\tb'],
      ['\u001b[2J', '\\x1b[2J'],
      ['a\u202eb', 'a\\u202eb'],
      ['a\udcff\udc80', 'a\\xff\\x80'],
      ['né€😀', 'né€😀'],
    ] as const) {
      const [, row] = planText(plan([file(path, 1)])).split('\n')
      assert.equal(row, `in        1 B  ${shown}  not ignored`)
      const [, reasoned] = planText(plan([file('a', 1, path)])).split('\n')
      assert.equal(reasoned, `in        1 B  a     ${shown}`)
    }
  })

  test('lets a very long path stand out, without the others', () => {
    const long = 'x'.repeat(100)
    const [, first, second] = planText(plan([file(long, 1), file('y', 1)])).split('\n')
    assert.equal(first, `in        1 B  ${long}  not ignored`)
    assert.equal(second, `in        1 B  y${' '.repeat(59)}  not ignored`)
  })
})

suite('the object of a plan', () => {
  test('is plain data', () => {
    const link: PlanEntry = { answer: 'in', type: 'link', path: 'link', reason: 'not ignored' }
    const totals = { files: 1, folders: 0, links: 1, bytes: 7 }
    assert.deepEqual(JSON.parse(JSON.stringify(planObject(plan([file('a/b', 7), link], totals)))), {
      root: '/root',
      entries: [
        { answer: 'in', path: 'a/b', type: 'file', size: 7, reason: 'not ignored' },
        { answer: 'in', path: 'link', type: 'link', reason: 'not ignored' },
      ],
      totals,
      largest: { files: [{ path: 'a/b', size: 7 }], folders: [{ path: 'a', size: 7 }] },
    })
  })

  test('tells paths apart that are not UTF-8', () => {
    const paths = ['d\udcff/f', 'd\udcfe/f', 'd\ufffd/f', 'd\\xff/f']
    const { entries, largest } = planObject(plan(paths.map((path) => file(path, 1))))
    assert.deepEqual(
      entries.map(({ path, pathBase64 }) => [path, pathBase64]),
      [
        ['d\ufffd/f', Buffer.from('d\xff/f', 'latin1').toString('base64')],
        ['d\ufffd/f', Buffer.from('d\xfe/f', 'latin1').toString('base64')],
        ['d\ufffd/f', undefined],
        ['d\\xff/f', undefined],
      ],
    )
    const folders = largest.folders.map(({ path, pathBase64 }) => `${path} ${pathBase64}`)
    assert.equal(new Set(folders).size, 4)
  })
})
