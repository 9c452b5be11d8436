import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isSameThing } from '../../src/sync/reconcile/node.ts'
import type { Agreed, Baseline, Conflict, Policy } from '../../src/sync/reconcile/reconcile.ts'
import { full } from '../support/full.ts'
import { type Change, comesBack, type Item, isIgnored, isIn, type ModelTree, TwoSides } from '../support/two-sides.ts'

const policies: fc.Arbitrary<Policy> = fc
  .constantFrom('keep-both' as const, 'keep-both' as const, 'local' as const, 'remote' as const, 'fail' as const)
  .map((onConflict) => ({ onConflict, runId: 'run', allowMassDelete: true }))

const part = fc.constantFrom('a', 'b', 'x.o', 'ign')
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const changes: fc.Arbitrary<Change> = fc.record({
  side: fc.constantFrom('here', 'there'),
  does: fc.constantFrom(
    'write',
    'write',
    'write',
    'mkdir',
    'link',
    'remove',
    'remove',
    'rename',
    'chmod',
    'chown',
    'sly',
  ),
  path,
  to: path,
  // Nearly all as large as each other: the size is not to tell them apart.
  text: fc.constantFrom('one', 'two', 'two', 'four', ''),
})
const round = fc.record({
  changes: fc.array(changes, { maxLength: 6, size: 'max' }),
  unstable: fc.oneof(fc.constant<string[]>([]), fc.array(path, { maxLength: 5 })),
  // Once the command has ended nothing goes up.
  isSent: fc.boolean(),
})

/** Each text once, but some of them: what is written on both sides may be the same. */
function numbered(change: Change, count: number): Change {
  return change.text === 'two' ? { ...change, text: String(count).padStart(3, '0') } : change
}

interface Round {
  changes: Change[]
  unstable: string[]
  isSent: boolean
}

const quiet: Round = { changes: [], unstable: [], isSent: true }

test('nothing is lost, both sides end the same but for conflicts, and a second time nothing happens', () => {
  let count = 0
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 8, size: 'max' }), policies, (rounds, policy) => {
      const both = new TwoSides()
      const conflicts: Conflict[] = []
      for (const one of [...rounds, quiet]) {
        for (const change of one.changes) both[change.side].make(numbered(change, count++))
        conflicts.push(...runRound(both, one, policy))
      }
      assertSame(both, conflicts)
      const again = both.reconcile(policy)
      assert.deepEqual([again.steps, again.up, again.waiting, again.toHash], [[], [], [], []])
    }),
    full ? { numRuns: 20_000 } : { numRuns: 1000 },
  )
})

/** What is known of a tree before a round. */
function copyOf(tree: ModelTree): Map<string, Item> {
  return new Map(tree.items)
}

function runRound(both: TwoSides, { unstable, isSent }: Round, policy: Policy): readonly Conflict[] {
  const before = { here: copyOf(both.here), there: copyOf(both.there), baseline: new Map(both.baseline) }
  const reconciled = both.reconcile(policy, new Set(unstable))
  both.bring(reconciled)
  if (policy.onConflict !== 'remote') assertKept(before, both)
  assertNeverSent(before, both)
  if (isSent) both.send(reconciled.up)
  if (policy.onConflict !== 'local') assertCome(before, both, unstable.length > 0 || policy.onConflict === 'fail')
  return reconciled.conflicts
}

interface Before {
  here: Map<string, Item>
  there: Map<string, Item>
  baseline: Baseline
}

/** What was changed here is still here, in its place. */
function assertKept({ here, baseline }: Before, both: TwoSides): void {
  for (const [key, item] of here) {
    if (item.type === 'folder' || isSameThing(baseline.get(key)?.local, item)) continue
    const now = both.here.items.get(key)
    assert.equal(now?.type === item.type && now.text, item.text, `${key} was changed here, and is lost`)
  }
}

function assertNeverSent({ here, baseline }: Before, both: TwoSides): void {
  for (const [key, item] of here) {
    if (!isIgnored(key, item.type === 'folder') || baseline.get(key)?.local !== undefined) continue
    assert.equal(both.here.items.get(key), item, `${key} was never sent, and is not what it was`)
  }
}

function textsOf(tree: ModelTree): Set<string> {
  return new Set([...tree.items.values()].map(({ text }) => text))
}

/** What was changed there is here: in its place, or beside it. */
function assertCome({ there, baseline }: Before, both: TwoSides, mayWait: boolean): void {
  const [textsHere, textsThere] = [textsOf(both.here), textsOf(both.there)]
  for (const [key, item] of there) {
    if (item.type !== 'file' || baseline.get(key)?.remote === item || !comesBack(key, false)) continue
    const isKept = textsHere.has(item.text) || (mayWait && textsThere.has(item.text))
    assert.ok(isKept, `${key} was changed there, and ${mayWait ? 'is lost' : 'did not come'}`)
  }
}

function assertSame({ here, there, baseline }: TwoSides, conflicts: readonly Conflict[]): void {
  const isExplained = (key: string): boolean =>
    conflicts.some((one) => isIn(key, one.path) || isIn(one.path, key) || isIn(key, one.beside ?? one.path))
  for (const key of new Set([...here.items.keys(), ...there.items.keys()])) {
    const [one, other] = [here.items.get(key), there.items.get(key)]
    const isOut = staysHere(key, here) || staysThere(key, there) || isLeftOver(baseline.get(key), other)
    const isSame = one?.type === other?.type && one?.text === other?.text && modeOf(one) === modeOf(other)
    assert.ok(isSame || isOut || isExplained(key), `${key} differs, and nobody says so`)
  }
}

/** Whether the path, or what is here in the place of a folder that it is in, does not go. */
function staysHere(key: string, here: ModelTree): boolean {
  const inTheWay = [...here.items.values()].filter((item) => isIn(key, item.path))
  return inTheWay.some(({ path: at, type }) => (at === key || type !== 'folder') && isIgnored(at, type === 'folder'))
}

/** Whether it does not come, or has something in it that does not: then it cannot be removed. */
function staysThere(key: string, there: ModelTree): boolean {
  return there.below(key).some((at) => !comesBack(at, there.items.get(at)?.type === 'folder'))
}

/** A folder that could not be removed there, and is empty by now. */
function isLeftOver(agreed: Agreed | undefined, other: Item | undefined): boolean {
  return other?.type === 'folder' && agreed?.local === undefined && isSameThing(agreed?.remote, other)
}

function modeOf(item: Item | undefined): number | undefined {
  return item?.type === 'file' ? item.mode : undefined
}
