import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import type { Agreed } from '../../src/sync/reconcile/baseline.ts'
import { noteReturned, noteSent } from '../../src/sync/reconcile/note.ts'
import { type Reconciled, reconcile } from '../../src/sync/reconcile/reconcile.ts'
import { file, folder, link, treeOf } from '../support/entries.ts'

const sent = file('x', { size: 3, mtime: 5_000_000_007n })

function reconciled(baseline: Map<string, Agreed>, local: Entry[], remote: Entry[]): Reconciled {
  const sides = {
    baseline,
    local: treeOf(...local),
    unsent: new Map(),
    remote: treeOf(...remote),
    comesBack: () => true,
  }
  return reconcile(sides, { policy: { onConflict: 'keep-both', runId: 'r1', allowMassDelete: false } })
}

/** What is left to do after something was sent, and found there as this. */
function afterSending(entry: Entry, found: Entry | undefined): Reconciled {
  const baseline = new Map<string, Agreed>()
  const scan = found === undefined ? [] : [found]
  noteSent(baseline, { sent: [entry], removed: [], scan: treeOf(...scan) })
  return reconciled(baseline, [entry], scan)
}

suite('what was sent', () => {
  test('is no change of the command, whatever its stat there', () => {
    for (const [local, found] of [
      [sent, file('x', { size: 3, mtime: 5_000_000_007n, ctime: 99n, ino: 99n })],
      [sent, file('x', { size: 3, mtime: 5_000_000_000n, mode: 0o777, ctime: 99n, ino: 99n })],
      [file('x', { size: 3, mtime: -500_000_000n }), file('x', { size: 3, mtime: -1_000_000_000n, ctime: 99n })],
      [folder('x'), folder('x', { mode: 0o777, mtime: 99n })],
      [link('x'), link('x', { mtime: 99n })],
    ] as const) {
      const { steps, up, toHash, conflicts } = afterSending(local, found)
      assert.deepEqual([steps, up, toHash, conflicts], [[], [], [], []])
    }
  })

  test('and is another thing there was changed by the command since', () => {
    for (const found of [
      file('x', { size: 4, mtime: 5_000_000_007n }),
      file('x', { size: 3, mtime: 5_000_000_008n }),
      link('x'),
      folder('x'),
    ]) {
      assert.deepEqual(afterSending(sent, found).steps.at(-1), {
        does: 'put',
        entry: found,
        to: 'x',
        over: found.type === 'folder' ? undefined : sent,
      })
    }
    assert.deepEqual(afterSending(sent, undefined).steps, [{ does: 'remove', entry: sent }])
  })

  test('to be removed is gone, but for folders that stay for what else is in them', () => {
    const baseline = new Map<string, Agreed>([['d', { local: folder('d'), remote: folder('d') }]])
    noteSent(baseline, { sent: [], removed: ['d', 'x'], scan: treeOf(folder('d')) })
    assert.deepEqual(reconciled(baseline, [], [folder('d')]).steps, [])
    noteSent(baseline, { sent: [], removed: ['d'], scan: new Map() })
    assert.equal(baseline.size, 0)
  })
})

const both = (path: string): Agreed => ({ local: file(path), remote: file(path) })

suite('what has come', () => {
  test('is noted where it was written, and only there', () => {
    const baseline = new Map<string, Agreed>()
    const remote = [file('a'), file('b'), file('x', { size: 2 })]
    const local = [file('x')]
    const result = reconciled(baseline, local, remote)
    const written = new Map([['a', file('a', { ino: 7n })]])
    noteReturned(baseline, result, { written, removed: new Set() })
    assert.deepEqual([...baseline], [['a', { local: written.get('a'), remote: remote[0], isMadeThere: true }]])
    const rest = reconciled(baseline, [...local, file('a', { ino: 7n })], remote)
    assert.deepEqual(
      rest.steps.map((step) => step.does === 'put' && step.to),
      ['b', 'x.remote-r1'],
    )
    noteReturned(baseline, rest, { written: new Map([['x.remote-r1', file('x.remote-r1')]]), removed: new Set() })
    assert.deepEqual(baseline.get('x'), { local: local[0], remote: remote[2], isApart: true })
    assert.deepEqual(baseline.get('x.remote-r1'), { local: file('x.remote-r1') })
  })

  test('to be removed is remembered where the user had it, and not where the command had made it', () => {
    const baseline = new Map([
      ['mine', both('mine')],
      ['made', { ...both('made'), isMadeThere: true } satisfies Agreed],
      ['left', both('left')],
    ])
    const result = reconciled(baseline, [file('mine'), file('made'), file('left')], [])
    noteReturned(baseline, result, { written: new Map(), removed: new Set(['mine', 'made']) })
    assert.deepEqual([...baseline.keys()], ['mine', 'left'])
    assert.deepEqual(baseline.get('mine'), {})
    assert.deepEqual(baseline.get('left'), both('left'))
  })
})
