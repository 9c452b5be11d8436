import type { Entry, Skipped, Snapshot } from '../local/snapshot.ts'
import { childPath } from '../path.ts'
import type { Recorded, RecordedFilter } from '../rules/recorded-filter.ts'

/** One path of a plan. */
export interface PlanEntry {
  /** `in`: goes up; `out`: stays here, with all that is in it; `skipped`: should go and cannot. */
  answer: 'in' | 'out' | 'skipped'
  /** `other`: a socket, a FIFO, a device, or something that cannot be looked at. */
  type: 'file' | 'folder' | 'link' | 'other'
  path: string
  /** Of a file, in bytes. */
  size?: number
  /** In words for a user: `.gitignore:3: *.log`, `a socket`. */
  reason: string
}

/**
 * Lists what a snapshot has and what its filter kept out. A folder that stays out is one entry; so is one that was
 * walked in vain, where all in it stays out for the reason that the folder does. What stays out and is no folder was
 * not looked at: its type is `other`.
 *
 * A folder that goes and cannot be listed is there twice, as it goes empty.
 */
export function listPlan(snapshot: Snapshot, verdicts: RecordedFilter['folders']): PlanEntry[] {
  const skipped = new Map(snapshot.skipped.map((one) => [one.path, one]))
  return below('')

  function below(folder: string): PlanEntry[] {
    const names = [...(verdicts.get(folder) ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1))
    return names.flatMap(([name, verdict]) => entriesOf(childPath(folder, name), verdict))
  }

  function entriesOf(path: string, verdict: Recorded): PlanEntry[] {
    const entry = snapshot.entries.get(path)
    const obstacle = skipped.get(path)
    const here = [
      ...(entry === undefined ? [] : [planned(entry, verdict)]),
      ...(obstacle === undefined ? [] : [stopped(obstacle, verdict)]),
    ]
    if (here.length > 0) return entry?.type === 'folder' ? here.concat(below(path)) : here
    if (verdict.answer === 'out') return [kept(path, verdict)]
    // What is neither here nor there vanished meanwhile.
    return snapshot.folders.has(path) ? walkedInVain(path, verdict) : []
  }

  function walkedInVain(path: string, verdict: Recorded): PlanEntry[] {
    const inside = below(path)
    const one = inside.every(({ answer, reason }) => answer === 'out' && reason === verdict.reason)
    return one ? [kept(path, verdict)] : [kept(path, { ...verdict, reason: 'nothing in it goes' }), ...inside]
  }
}

function planned(entry: Entry, { answer, reason }: Recorded): PlanEntry {
  const { type, path } = entry
  const size = type === 'file' ? { size: entry.size } : {}
  return { answer: 'in', type, path, ...size, reason: answer === 'walk' ? 'something in it goes' : reason }
}

function stopped({ path, why }: Skipped, { isFolder }: Recorded): PlanEntry {
  const reason = /^E[A-Z0-9]+$/.test(why) ? `cannot be read: ${why}` : why
  return { answer: 'skipped', type: isFolder ? 'folder' : 'other', path, reason }
}

function kept(path: string, { isFolder, reason }: Recorded): PlanEntry {
  return { answer: 'out', type: isFolder ? 'folder' : 'other', path, reason }
}
