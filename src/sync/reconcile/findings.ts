import type { Entry } from '../entry.ts'
import type { Agreed, Here } from './baseline.ts'

/** Something to do here. Whoever does it looks first whether here is still what is said to be. */
export type Step = Put | Removal

export interface Put {
  does: 'put'
  /** As it is there. */
  entry: Entry
  /** Where it comes: another path than the entry's where it is saved beside what is here. */
  to: string
  /** What it takes the place of, a file or a link by a rename, a folder by taking its mode; undefined: nothing is there. */
  over: Here | undefined
}

export interface Removal {
  does: 'remove'
  /** What is here; of a folder, all that was in it is removed before. */
  entry: Here
}

/** Something that the two sides do not agree on. */
export interface Conflict {
  path: string
  reason: ConflictReason
  /**
   * What becomes of it: the remote version is `saved` beside what is here; the `local` or the `remote` one counts, on both
   * sides; it is the user's to say, and nothing is done (`left`); it was saved already, and `stands`.
   */
  outcome: 'saved' | 'local' | 'remote' | 'left' | 'stands'
  /** Where the remote version is saved. */
  beside?: string
  /** Where it is there, of what was moved. */
  movedTo?: string
  /** For the baseline, once it is saved. */
  agreed?: ReadonlyMap<string, Agreed>
}

export type ConflictReason =
  | 'changed here and there'
  /** Ignored or excluded; a whole folder of such things is one conflict. */
  | 'never sent, but in the place of something there'
  /** A folder that was sent, and has such things in it. */
  | 'in the place of something there, with something in it that was never sent'
  /** What is changed wins, here and in the next two. */
  | 'deleted here, changed there'
  | 'changed here, deleted there'
  | 'deleted there, but something in it was never sent'
  /** A file, or files of a folder. */
  | 'moved there to where nothing comes from'

/** What is known so far of a part of the two sides. */
export interface Findings {
  /** In order, with the removals of what is in the way. */
  puts: Step[]
  /** What is in a folder before the folder. */
  removals: Removal[]
  /** Paths that are to go up: where nothing is here, to be removed there. */
  up: string[]
  conflicts: Conflict[]
  toHash: string[]
  waiting: string[]
  /** For the baseline, with nothing to do: what is the same, or gone on both sides. */
  settled: Map<string, Agreed | undefined>
}

export function noFindings(): Findings {
  return { puts: [], removals: [], up: [], conflicts: [], toHash: [], waiting: [], settled: new Map() }
}

/** Adds findings to others; no list is spread, as an argument list has an end. */
export function addFindings(to: Findings, from: Findings): void {
  for (const step of from.puts) to.puts.push(step)
  for (const step of from.removals) to.removals.push(step)
  for (const path of from.up) to.up.push(path)
  for (const conflict of from.conflicts) to.conflicts.push(conflict)
  for (const path of from.toHash) to.toHash.push(path)
  for (const path of from.waiting) to.waiting.push(path)
  for (const [path, agreed] of from.settled) to.settled.set(path, agreed)
}
