import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import { placesToLookAt } from '../../src/sync/reconcile/places.ts'
import { type Agreed, type Here, type Policy, type Reconciled, reconcile } from '../../src/sync/reconcile/reconcile.ts'
import { file, folder, link, treeOf } from '../support/entries.ts'

const keepBoth: Policy = { onConflict: 'keep-both', runId: 'r1', allowMassDelete: false }

interface Case {
  /** As it was on both sides. */
  base?: Entry[]
  local?: Entry[]
  unsent?: Here[]
  remote?: Entry[]
  baseline?: Map<string, Agreed>
  comesBack?: (path: string, isFolder: boolean) => boolean
  policy?: Partial<Policy>
  unstable?: string[]
  contents?: Record<string, boolean>
}

function reconciled(given: Case): Reconciled {
  const baseline = given.baseline ?? new Map((given.base ?? []).map((one) => [one.path, { local: one, remote: one }]))
  const sides = {
    baseline,
    local: treeOf(...(given.local ?? [])),
    unsent: new Map((given.unsent ?? []).map((one) => [one.path, one])),
    remote: treeOf(...(given.remote ?? [])),
    comesBack: given.comesBack ?? (() => true),
  }
  return reconcile(sides, {
    policy: { ...keepBoth, ...given.policy },
    unstable: new Set(given.unstable),
    contents: new Map(Object.entries(given.contents ?? {})),
  })
}

/** What is to be done, in words, in its order. */
function words(given: Case): string {
  const { steps, up, conflicts, toHash, waiting, settled, halted } = reconciled(given)
  return [
    ...conflicts.map(({ path, reason, outcome }) => `${path}: ${reason}, ${outcome};`),
    ...steps.map((step) => {
      if (step.does === 'remove') return `remove ${step.entry.path}`
      const to = step.to === step.entry.path ? '' : ` as ${step.to}`
      return `${step.over === undefined ? 'put' : 'change'} ${step.entry.path}${to}`
    }),
    ...up.map((path) => `up ${path}`),
    ...toHash.map((path) => `hash ${path}`),
    ...waiting.map((path) => `wait for ${path}`),
    ...[...settled.keys()].map((path) => `note ${path}`),
    ...(halted === undefined ? [] : [`halted: ${halted.deleted} of ${halted.of}`]),
  ].join(' ')
}

const kinds: Record<string, Here | undefined> = {
  nothing: undefined,
  file: file('x'),
  folder: folder('x'),
  link: link('x'),
  'file+': file('x', { size: 2, mtime: 9n }),
  'folder+': folder('x', { mode: 0o700 }),
  'link+': link('x', { target: 'elsewhere' }),
  socket: { type: 'other', path: 'x' },
}

const meanings: Record<string, string> = {
  '-': '',
  comes: 'put x',
  changes: 'change x',
  // By something that no rename puts in its place.
  replaced: 'remove x put x',
  removed: 'remove x',
  up: 'up x',
  hash: 'hash x',
  saved: 'x: changed here and there, saved; put x as x.remote-r1',
  'saved, unsent': 'x: never sent, but in the place of something there, saved; put x as x.remote-r1',
  'wins here': 'x: changed here, deleted there, local; up x',
  'wins there': 'x: deleted here, changed there, remote; put x',
  agreed: 'note x',
}

/** A row for what is here, a column for what is there; `+` is changed. */
const tables: [base: string, table: string][] = [
  [
    'nothing',
    `         | nothing | file  | folder | link
     nothing | -       | comes | comes  | comes
     file    | up      | hash  | saved  | saved
     folder  | up      | saved | agreed | saved
     link    | up      | saved | saved  | saved`,
  ],
  [
    'file',
    `         | file | file+      | folder     | link       | nothing
     file    | -    | changes    | replaced   | changes    | removed
     file+   | up   | hash       | saved      | saved      | wins here
     folder  | up   | saved      | agreed     | saved      | wins here
     link    | up   | saved      | saved      | saved      | wins here
     nothing | up   | wins there | wins there | wins there | agreed`,
  ],
  [
    'folder',
    `         | folder | folder+ | file       | link       | nothing
     folder  | -      | changes | replaced   | replaced   | removed
     folder+ | up     | up      | replaced   | replaced   | removed
     file    | up     | up      | hash       | saved      | wins here
     link    | up     | up      | saved      | saved      | wins here
     nothing | up     | up      | wins there | wins there | agreed`,
  ],
  [
    'link',
    `         | link | link+      | file       | folder     | nothing
     link    | -    | changes    | changes    | replaced   | removed
     link+   | up   | saved      | saved      | saved      | wins here
     file    | up   | saved      | hash       | saved      | wins here
     folder  | up   | saved      | saved      | agreed     | wins here
     nothing | up   | wins there | wins there | wins there | agreed`,
  ],
  [
    'never sent',
    `         | nothing | file          | folder        | link
     file    | -       | hash          | saved, unsent | saved, unsent
     folder  | -       | saved, unsent | -             | saved, unsent
     link    | -       | saved, unsent | saved, unsent | saved, unsent
     socket  | -       | saved, unsent | saved, unsent | saved, unsent`,
  ],
]

/** New on the remote side: no stat, and no target, of the two sides is the same by chance. */
function there(kind: string, base: string): Entry | undefined {
  const entry = kinds[kind]
  if (kind === base || entry === undefined || entry.type === 'other') return undefined
  if (entry.type === 'link') return { ...entry, target: 'another' }
  return entry.type === 'folder' && kind.endsWith('+') ? { ...entry, mode: 0o711 } : { ...entry, mtime: 77n }
}

for (const [base, table] of tables) {
  const [columns = [], ...rows] = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  suite(base === 'never sent' ? 'what was never sent' : `where there was ${base}`, () => {
    for (const [here = '', ...cells] of rows) {
      for (const [at, meaning] of cells.entries()) {
        const column = columns[at + 1] ?? ''
        test(`${here} here and ${column} there: ${meaning}`, () => {
          const [was, is] = [kinds[base], kinds[here]]
          const remote = column === base ? was : there(column, base)
          const given = { base: listOf(was), remote: listOf(remote) }
          const local = base === 'never sent' ? { unsent: is === undefined ? [] : [is] } : { local: listOf(is) }
          assert.equal(words({ ...given, ...local }), meanings[meaning])
        })
      }
    }
  })
}

function listOf(entry: Here | undefined): Entry[] {
  return entry === undefined || entry.type === 'other' ? [] : [entry]
}

suite('files on both sides', () => {
  const [old, here] = [file('x'), file('x', { size: 5, mtime: 7n })]
  const both = (remote: Entry, more: Case = {}) => words({ base: [old], local: [here], remote: [remote], ...more })
  const there5 = file('x', { size: 5, mtime: 8n })

  test('are told apart by hashes only where as large as each other', () => {
    assert.equal(both(file('x', { size: 6 })), meanings['saved'])
    assert.equal(both(there5), 'hash x')
    assert.equal(both(there5, { contents: { x: true } }), 'note x')
    assert.equal(both(there5, { contents: { x: false } }), meanings['saved'])
    assert.equal(both(file('x', { size: 5, mode: 0o755 })), meanings['saved'])
    assert.equal(words({ local: [file('x', { size: 0 })], remote: [file('x', { size: 0, mtime: 5n })] }), 'note x')
  })

  test('that lead to the same place are the same link', () => {
    const [one, other] = [link('x', { target: 'new' }), link('x', { target: 'new', mtime: 5n })]
    assert.equal(words({ base: [link('x')], local: [one], remote: [other] }), 'note x')
  })

  test('that only have another ctime or inode there are hashed before they come', () => {
    for (const remote of [file('x', { ctime: 5n }), file('x', { ino: 5n })]) {
      const given = { base: [old], local: [old], remote: [remote] }
      assert.equal(words(given), 'hash x')
      assert.equal(words({ ...given, contents: { x: true } }), 'note x')
      assert.equal(words({ ...given, contents: { x: false } }), 'change x')
    }
  })

  test('are done with by the policy', () => {
    const given = { contents: { x: false } }
    const changed = 'x: changed here and there'
    assert.equal(both(there5, { ...given, policy: { onConflict: 'local' } }), `${changed}, local; up x`)
    assert.equal(both(there5, { ...given, policy: { onConflict: 'remote' } }), `${changed}, remote; change x`)
    assert.equal(both(there5, { ...given, policy: { onConflict: 'fail' } }), `${changed}, left;`)
  })

  test('that were deleted on one side are lost by no policy', () => {
    for (const onConflict of ['keep-both', 'local', 'remote'] as const) {
      const policy = { onConflict }
      assert.equal(words({ base: [old], local: [here], policy }), meanings['wins here'])
      assert.equal(words({ base: [old], remote: [there5], policy }), meanings['wins there'])
    }
    const policy = { onConflict: 'fail' } as const
    assert.equal(words({ base: [old], local: [here], policy }), 'x: changed here, deleted there, left;')
    assert.equal(words({ base: [old], remote: [there5], policy }), 'x: deleted here, changed there, left;')
  })

  test('are at rest where they are apart, without a hash', () => {
    const baseline = new Map([['x', { local: here, remote: there5, isApart: true } satisfies Agreed]])
    assert.equal(both(there5, { baseline }), 'x: changed here and there, stands;')
  })

  test('that are not stable there have to wait, whatever happens here', () => {
    for (const local of [old, here]) {
      assert.equal(words({ base: [old], local: [local], remote: [there5], unstable: ['x'] }), 'wait for x')
      assert.equal(words({ base: [old], local: [local], unstable: ['x'] }), 'wait for x')
    }
    assert.equal(words({ base: [old], local: [here], remote: [old], unstable: ['x'] }), 'up x')
    const given = { base: [old], local: [here], remote: [folder('x'), file('x/y'), file('x/z')] }
    assert.equal(words({ ...given, unstable: ['x/z'] }), 'wait for x')
    const fresh = { remote: [folder('d'), file('d/y'), file('d/z')], unstable: ['d/z'] }
    assert.equal(words(fresh), 'put d put d/y wait for d/z')
  })
})

function put(given: Case): string[] {
  return reconciled(given).steps.map((step) => (step.does === 'put' ? step.to : 'remove'))
}

suite('what is saved beside', () => {
  const given = { local: [folder('d'), file('d/x', { size: 5 })], remote: [folder('d'), file('d/x', { size: 6 })] }

  test('has a name that nobody has', () => {
    assert.deepEqual(put(given), ['d/x.remote-r1'])
    const taken = file('d/x.remote-r1')
    assert.deepEqual(put({ ...given, local: [...given.local, taken] }), ['d/x.remote-r1-2'])
    assert.deepEqual(put({ ...given, remote: [...given.remote, taken] }), ['d/x.remote-r1-2', 'd/x.remote-r1'])
    const long = 'ä'.repeat(127)
    const lasting = put({ local: [file(long, { size: 5 })], remote: [file(long, { size: 6 })] })
    assert.deepEqual(lasting, [`${'ä'.repeat(122)}.remote-r1`])
    const [one, other] = [`${long}a`, `${long}b`]
    const twins = put({
      local: [file(one, { size: 5 }), file(other, { size: 5 })],
      remote: [file(one, { size: 6 }), file(other, { size: 6 })],
    })
    assert.deepEqual(twins, [`${'ä'.repeat(122)}.remote-r1`, `${'ä'.repeat(121)}.remote-r1-2`])
  })

  test('is written over by a later version, unless somebody changed it', () => {
    const saved = file('x.remote-r1', { ino: 9n })
    const apart: Agreed = { local: file('x', { size: 5 }), remote: file('x', { size: 6 }), isApart: true }
    const baseline = new Map([
      ['x', apart],
      ['x.remote-r1', { local: saved }],
    ])
    const local = [file('x', { size: 5 })]
    const stands = { baseline, local: [...local, saved], remote: [file('x', { size: 6 })] }
    assert.equal(words(stands), 'x: changed here and there, stands;')
    const again = { ...stands, remote: [file('x', { size: 7 })] }
    assert.equal(words(again), 'x: changed here and there, saved; change x as x.remote-r1')
    const edited = file('x.remote-r1', { ino: 9n, size: 100 })
    const other = { ...again, local: [...local, edited] }
    assert.equal(words(other), 'x: changed here and there, saved; put x as x.remote-r1-2 up x.remote-r1')
    const solved = { ...stands, local: [file('x', { size: 6, ino: 9n })], contents: { x: true } }
    assert.equal(words(solved), 'note x note x.remote-r1')
  })
})

const changed = file('d/a', { size: 9 })

function count(given: Case): number {
  return reconciled({ policy: { allowMassDelete: true }, ...given }).steps.length
}

suite('folders', () => {
  const tree = [folder('d'), file('d/a'), folder('d/e'), file('d/e/b')]

  test('come with what is in them, and go after it', () => {
    // Cut in two, a rename leaves both names.
    assert.equal(words({ base: [file('a')], local: [file('a')], remote: [file('b')] }), 'put b remove a')
    assert.equal(words({ remote: tree }), 'put d put d/a put d/e put d/e/b')
    assert.equal(words({ base: tree, local: tree }), 'remove d/a remove d/e/b remove d/e remove d')
  })

  test('that were deleted there stay with what was changed here, or never sent', () => {
    const local = [folder('d'), changed, folder('d/e'), file('d/e/b')]
    const said = 'd/a: changed here, deleted there, local;'
    assert.equal(words({ base: tree, local }), `${said} remove d/e/b remove d/e up d up d/a`)
    const unsent = [file('d/e/secret')]
    const kept = 'd: deleted there, but something in it was never sent, local;'
    assert.equal(words({ base: tree, local: tree, unsent }), `${kept} remove d/a remove d/e/b`)
    const told = 'd: changed here, deleted there, local; remove d/a remove d/e/b remove d/e up d up d/new'
    assert.equal(words({ base: tree, local: [...tree, file('d/new')] }), told)
  })

  test('are no longer known where they are none on either side', () => {
    const forgotten = 'hash d note d/a note d/e note d/e/b'
    assert.equal(words({ base: tree, local: [file('d')], remote: [file('d')] }), forgotten)
  })

  test('that came here in the place of something else are not what was deleted there', () => {
    const baseline = new Map([['d', { local: file('d'), remote: folder('d'), isApart: true } satisfies Agreed]])
    const local = [folder('d')]
    assert.equal(words({ baseline, local }), 'd: changed here, deleted there, local; up d')
    const policy = { onConflict: 'fail' } as const
    const left = 'd: deleted here, changed there, left;'
    assert.equal(words({ base: [file('d')], remote: [folder('d')], policy }), left)
  })

  test('that were deleted here come again with what was changed there', () => {
    const remote = [folder('d'), changed, folder('d/e'), file('d/e/b')]
    const said = 'd/a: deleted here, changed there, remote;'
    assert.equal(words({ base: tree, remote }), `${said} put d put d/a up d/e up d/e/b`)
    assert.equal(words({ base: tree, remote, unstable: ['d/a'] }), 'up d/e up d/e/b wait for d/a')
  })

  test('may be as deep as a path can be long', () => {
    const deep = Array.from({ length: 2047 }, (_, at) => folder(`${'a/'.repeat(at)}a`))
    assert.equal(count({ remote: deep }), 2047)
    assert.equal(count({ base: deep, local: deep }), 2047)
    assert.equal(count({ base: deep, local: deep, remote: [file('a')] }), 2048)
    assert.equal(count({ local: [file('a')], remote: deep }), 2047)
  })

  test('make way for a file only where all in them is as it was sent', () => {
    const remote = [file('d')]
    const gone = 'remove d/e/b remove d/e remove d/a remove d put d'
    assert.equal(words({ base: tree, local: tree, remote }), gone)
    const saved = 'd: changed here and there, saved; put d as d.remote-r1'
    assert.equal(words({ base: tree, local: [folder('d'), changed], remote }), saved)
    const unsent =
      'd: in the place of something there, with something in it that was never sent, saved; put d as d.remote-r1'
    assert.equal(words({ base: tree, local: tree, remote, unsent: [file('d/secret')] }), unsent)
  })

  test('take the place of a file, in which something else has come here', () => {
    const base = [file('d')]
    const all = 'put d put d/a put d/e put d/e/b'
    assert.equal(words({ base, local: base, remote: tree }), `remove d ${all}`)
    const local = [link('d')]
    const saved = all.replaceAll(/put (d)(\S*)/g, 'put $1$2 as $1.remote-r1$2')
    assert.equal(words({ base, local, remote: tree }), `d: changed here and there, saved; ${saved}`)
    const remote = [folder('d'), file('d/a', { size: 9 })]
    assert.match(
      words({ base: tree, local: [file('d')], remote }),
      /^d: changed here and there, saved; put d as d\.remote/,
    )
  })

  test('have two modes, or times, without a conflict', () => {
    const base = [folder('d'), file('d/a')]
    const after = (more: Case) => words({ base, local: base, ...more })
    assert.equal(after({ remote: [folder('d', { mtime: 5n }), file('d/a')] }), '')
    assert.equal(after({ remote: [folder('d', { mode: 0o700 }), changed] }), 'change d change d/a')
    const local = [folder('d', { mode: 0o711 }), file('d/a')]
    assert.equal(after({ local, remote: [folder('d', { mode: 0o700 }), file('d/a')] }), 'up d')
  })
})

const notIgnored = (path: string): boolean => !path.includes('ignored')

suite('what the filters exclude', () => {
  test('neither comes nor goes, but for the folders on the way to what does', () => {
    const remote = [folder('ignored'), file('ignored/a'), file('b')]
    assert.equal(words({ remote, comesBack: notIgnored }), 'put b')
    const returns = (path: string) => path === 'ignored/a' || notIgnored(path)
    assert.equal(
      words({ remote: [...remote, file('ignored/c')], comesBack: returns }),
      'put b put ignored put ignored/a',
    )
    const base = [file('ignored')]
    assert.equal(words({ base, unsent: base, comesBack: notIgnored }), '')
  })

  test('is one conflict for a whole folder that is here and was never sent', () => {
    const unsent = [folder('d'), file('d/a', { size: 5 }), file('d/b', { size: 5 }), folder('d/e'), file('d/e/c')]
    const remote = [folder('d'), file('d/a', { size: 6 }), file('d/b', { size: 6 }), file('d/new')]
    const all = 'put d as d.remote-r1 put d/a as d.remote-r1/a put d/b as d.remote-r1/b put d/new as d.remote-r1/new'
    const said = 'd: never sent, but in the place of something there'
    assert.equal(words({ unsent, remote }), `${said}, saved; ${all}`)
    assert.equal(words({ unsent, remote, policy: { onConflict: 'remote' } }), `${said}, saved; ${all}`)
    assert.equal(words({ unsent, remote, policy: { onConflict: 'local' } }), `${said}, local;`)
    assert.equal(words({ unsent, remote: [folder('d'), file('d/new')] }), 'put d/new')
    const same = [folder('d'), file('d/a', { size: 5 }), file('d/new')]
    assert.equal(words({ unsent, remote: same }), 'hash d/a')
    assert.equal(words({ unsent, remote: same, contents: { 'd/a': true } }), 'put d/new note d/a')
  })

  test('and is in a folder that comes stays there', () => {
    const base = [folder('d'), file('d/a'), file('d/ignored')]
    const given = { base, local: [file('d')], remote: [folder('d'), changed, file('d/ignored')], comesBack: notIgnored }
    const said = 'd: changed here and there'
    assert.equal(words(given), `${said}, saved; put d as d.remote-r1 put d/a as d.remote-r1/a`)
    assert.equal(words({ ...given, policy: { onConflict: 'remote' } }), `${said}, remote; remove d put d put d/a`)
  })

  test('and has come in the place of what was sent was never sent', () => {
    const unsent = [folder('d'), file('d/a')]
    const said = 'd: never sent, but in the place of something there, saved;'
    const saved = `${said} put d as d.remote-r1 put d/a as d.remote-r1/a`
    const remote = [folder('d'), changed]
    assert.equal(words({ base: [file('d')], unsent, remote }), saved)
    // Whether or not somebody has listed the folder.
    assert.equal(words({ unsent: [file('d/a')], remote }), saved)
  })

  test('is not ours to write over because the command once had the same', () => {
    const baseline = new Map<string, Agreed>([['x', { local: file('x'), remote: file('x'), isNeverSent: true }]])
    const unsent = [file('x')]
    const said = 'x: never sent, but in the place of something there, saved; put x as x.remote-r1'
    assert.equal(words({ baseline, unsent, remote: [file('x', { size: 2 })] }), said)
    assert.equal(words({ baseline, unsent }), 'note x')
    const { settled } = reconciled({ unsent, remote: [file('x', { ino: 2n })], contents: { x: true } })
    assert.equal(settled.get('x')?.isNeverSent, true)
  })
})

const files = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => file(`f${from + at}`))
const halted = (given: Case) => reconciled({ local: given.base ?? [], ...given }).halted

suite('many deletions', () => {
  test('halt where more than half of ten or more files would be gone', () => {
    assert.equal(halted({ base: files(0, 10), remote: files(0, 5) }), undefined)
    assert.equal(halted({ base: files(0, 9) }), undefined)
    const { steps, halted: held } = reconciled({
      base: files(0, 10),
      local: files(0, 10),
      remote: [...files(0, 4), file('new')],
    })
    assert.deepEqual([held?.deleted, held?.of, held?.held.length], [6, 10, 6])
    assert.deepEqual(
      steps.map((step) => step.does === 'put' && step.to),
      ['new'],
    )
    assert.equal(halted({ base: files(0, 10), policy: { allowMassDelete: true } }), undefined)
  })

  test('hold back what comes in the place of what they remove', () => {
    const base = [folder('d'), ...files(0, 10).map((one) => ({ ...one, path: `d/${one.path}` }))]
    assert.deepEqual(halted({ base, remote: [file('d')] })?.held.at(-1), {
      does: 'put',
      entry: file('d'),
      to: 'd',
      over: undefined,
    })
    assert.deepEqual(reconciled({ base, local: base, remote: [file('d')] }).steps, [])
  })

  test('count over the whole run, and not what the command itself has made', () => {
    const baseline = new Map<string, Agreed>(files(0, 10).map((one) => [one.path, { local: one, remote: one }]))
    for (const { path } of files(0, 5)) baseline.set(path, {})
    assert.equal(halted({ baseline, local: files(5, 10), remote: files(6, 10) })?.deleted, 6)
    for (const one of files(10, 30)) baseline.set(one.path, { local: one, remote: one, isMadeThere: true })
    assert.equal(halted({ baseline, local: files(5, 30), remote: files(5, 10) }), undefined)
  })
})

const isFifth = (path: string): boolean => path === 'hello.5.txt'

test('where something may be that does not go has to be looked at', () => {
  const known = folder('d')
  const baseline = new Map<string, Agreed>([
    ['d', { remote: known }],
    ['old', { local: file('old'), remote: file('old') }],
    ['e', { local: folder('e'), remote: folder('e') }],
  ])
  const local = treeOf(folder('e'), folder('f'), file('same'))
  const remote = treeOf(known, file('d/new'), file('old'), file('f'), file('ignored'))
  const { paths, folders } = placesToLookAt({ baseline, local, remote, comesBack: notIgnored })
  assert.deepEqual([...paths], ['d/new', 'd', 'old'])
  assert.deepEqual([...folders], ['e', 'f'])
  const unchanged = new Map([['a', { remote: file('a') }]])
  assert.equal(
    placesToLookAt({ baseline: unchanged, local, remote: treeOf(file('a')), comesBack: notIgnored }).paths.size,
    0,
  )
})

test('five runs in one folder do not touch each other’s files', () => {
  const before = [file('common')]
  const others = ['1', '2', '3', '4'].map((name) => file(`hello.${name}.txt`))
  const remote = [...before, file('hello.5.txt')]
  assert.equal(words({ base: before, local: [...before, ...others], remote }).split(' up ')[0], 'put hello.5.txt')
  assert.equal(
    words({ unsent: [...before, ...others], remote: [file('hello.5.txt')], comesBack: isFifth }),
    'put hello.5.txt',
  )
})
