import { isWithin } from '../path.ts'
import type { Baseline } from './baseline.ts'
import type { Step } from './findings.ts'

/** Deletions that somebody should have a look at first. */
export interface Halted {
  /** How many files the command has deleted, of how many that the user had. */
  deleted: number
  of: number
  /** What was not to be done because of it: they, and what comes in their place. */
  held: Step[]
}

/** As few files anybody may delete. */
const few = 10

/**
 * Holds deletions back where more than half of the user's files would be gone, earlier ones of this run counted in. What the
 * command made itself counts neither way.
 */
export function haltDeletions(steps: readonly Step[], baseline: Baseline): { steps: Step[]; halted?: Halted } {
  const removed = new Set(steps.flatMap((step) => (step.does === 'remove' ? [step.entry.path] : [])))
  let [deleted, of, isMore] = [0, 0, false]
  for (const [path, { local, remote, isMadeThere }] of baseline) {
    const isGone = local === undefined && remote === undefined
    const isTheirs = isGone || (remote !== undefined && local !== undefined && local.type !== 'folder')
    if (!isTheirs || isMadeThere === true) continue
    of += 1
    if (isGone || removed.has(path)) deleted += 1
    isMore ||= removed.has(path)
  }
  if (!isMore || of < few || deleted * 2 <= of) return { steps: [...steps] }
  const isHeld = (step: Step): boolean => step.does === 'remove' || isWithin(step.to, removed)
  return { steps: steps.filter((step) => !isHeld(step)), halted: { deleted, of, held: steps.filter(isHeld) } }
}
