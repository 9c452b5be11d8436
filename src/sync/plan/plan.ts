import type { SyncOptions } from '../../options.ts'
import { concurrently } from '../local/concurrently.ts'
import { Disk } from '../local/disk.ts'
import { openLocalRoot } from '../local/open-root.ts'
import { takeSnapshot } from '../local/snapshot.ts'
import { localPath } from '../path.ts'
import { recordVerdicts } from '../rules/recorded-filter.ts'
import { listPlan, type PlanEntry } from './plan-entries.ts'

export type { PlanEntry } from './plan-entries.ts'

/** What a sync would send of a local root. */
export interface UploadPlan {
  /** The local root, absolute. */
  root: string
  /** Folders before what is in them, names in the order of JavaScript's strings. */
  entries: PlanEntry[]
  /** Of what goes. */
  totals: PlanTotals
}

export interface PlanTotals {
  files: number
  folders: number
  links: number
  bytes: number
}

/**
 * Walks a local root as the first upload does, and says of each path whether it goes, and why. Changes nothing and
 * needs no cluster.
 *
 * @throws {KuberunError} `local`: the root or an ignore file cannot be read; the signal's reason
 */
export async function planUpload(options: SyncOptions, around: { signal?: AbortSignal } = {}): Promise<UploadPlan> {
  const root = await openLocalRoot(options)
  const { filter, folders } = recordVerdicts(root.filter)
  const snapshot = await takeSnapshot(root.path, filter, around)
  const disk = new Disk(around)
  const seen = await concurrently(listPlan(snapshot, folders), async (entry) => {
    await disk.turn()
    return look(entry, root.path, disk)
  })
  const entries = seen.filter((entry) => entry !== undefined)
  return { root: root.path, entries, totals: totalsOf(entries) }
}

/** What the snapshot has no need to know: whether a file can be read, and what it is that stays out. */
async function look(entry: PlanEntry, root: string, disk: Disk): Promise<PlanEntry | undefined> {
  try {
    if (entry.answer === 'in' && entry.type === 'file') await disk.access(localPath(root, entry.path))
    return entry.answer === 'out' && entry.type !== 'folder' ? await typed(entry, root, disk) : entry
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (entry.answer === 'out') return entry
    const { path, type } = entry
    return { answer: 'skipped', type, path, reason: `cannot be read: ${code}` }
  }
}

async function typed({ answer, path, reason }: PlanEntry, root: string, disk: Disk): Promise<PlanEntry> {
  const stat = await disk.lstat(localPath(root, path))
  if (stat.isFile()) return { answer, type: 'file', path, size: Number(stat.size), reason }
  return { answer, type: stat.isSymbolicLink() ? 'link' : 'other', path, reason }
}

function totalsOf(entries: readonly PlanEntry[]): PlanTotals {
  const totals = { files: 0, folders: 0, links: 0, bytes: 0 }
  for (const { answer, type, size = 0 } of entries) {
    if (answer !== 'in') continue
    if (type === 'file') totals.files += 1
    if (type === 'folder') totals.folders += 1
    if (type === 'link') totals.links += 1
    totals.bytes += size
  }
  return totals
}
