import type { Policy } from './conflict.ts'
import { decide } from './decide.ts'
import { type Findings, noFindings, type Step } from './findings.ts'
import { type Halted, haltDeletions } from './mass-deletion.ts'
import { movedAway } from './moved-away.ts'
import { nodesOf, type Sides } from './sides.ts'

export type { Agreed, Baseline, Here } from './baseline.ts'
export type { Policy } from './conflict.ts'
export type { Conflict, ConflictReason, Put, Removal, Step } from './findings.ts'
export type { Halted } from './mass-deletion.ts'
export type { Sides } from './sides.ts'

export interface ReconcileOptions {
  policy: Policy
  /** Paths at which what the command did has to wait, such as those that were not the same, or not there, in two listings of the remote root. */
  unstable?: ReadonlySet<string>
  /** Of paths in {@link Reconciled.toHash}, whether both sides have the same content; false where it could not be found out. */
  contents?: ReadonlyMap<string, boolean>
}

/** What is to be done that both sides be the same, and neither loses anything. */
export interface Reconciled extends Omit<Findings, 'puts' | 'removals'> {
  /**
   * What comes down, in order: what is in the way is removed right before what takes its place, folders come before what is
   * in them, and all else is removed last, so that a rename that is cut in two leaves both names.
   */
  steps: Step[]
  /** Deletions that were held back. */
  halted?: Halted
}

/**
 * Compares two trees with what they were, and says what is to be done about what has changed. Pure.
 *
 * Where `toHash` is not empty nothing is to be done yet: these files are on both sides, as large as each other, and only
 * hashes tell whether they are the same. Their content being known, this is called again.
 */
export function reconcile(sides: Sides, { policy, unstable, contents }: ReconcileOptions): Reconciled {
  const nodes = nodesOf(sides)
  const situation = {
    nodes,
    policy,
    unstable: unstable ?? new Set<string>(),
    contents: contents ?? new Map<string, boolean>(),
    taken: new Set<string>(),
    movedAway: movedAway(sides),
  }
  const out = noFindings()
  for (const node of nodes.get('')?.children ?? []) decide(node, situation, out)
  const { puts, removals, ...found } = out
  const steps = [...puts, ...removals]
  return { ...found, ...(policy.allowMassDelete ? { steps } : haltDeletions(steps, sides.baseline)) }
}
