import type { Entry } from '../entry.ts'
import type { FolderFilter } from '../rules/filter.ts'
import { concurrently } from './concurrently.ts'
import { Disk } from './disk.ts'
import { type Listing, listFolder, type Skipped } from './listing.ts'

export type { Entry } from '../entry.ts'
export type { Skipped } from './listing.ts'

/** A listing of a local root, or of a folder in it. */
export interface Snapshot {
  /** By path; folders before what is in them, names in the order of JavaScript's strings. Never the root itself. */
  entries: Map<string, Entry>
  /** The filter of each folder that was walked, '' for the root: also of those that turned out to have nothing in them. */
  folders: Map<string, FolderFilter>
  /** Of the same folders, {@link Listing.rules}. */
  rules: Map<string, string>
  skipped: Skipped[]
}

export interface SnapshotOptions {
  /** Walks this folder of the root alone. It has no entry itself, and the filter is that of the folder it is in. */
  under?: string
  /** From how many milliseconds a call on, on average, the file system counts as slow; see {@link Disk}. */
  slowAfter?: number
  signal?: AbortSignal
}

/**
 * Lists what is below a root and goes, by the root's filter.
 *
 * The snapshot is of no one moment: what changes while it is taken may be in it or not. Whoever needs to know watches
 * from before it on.
 * @throws what node:fs throws where the root cannot be listed; the signal's reason
 */
export async function takeSnapshot(
  root: string,
  filter: FolderFilter,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  const { under = '', ...rest } = options
  const disk = new Disk(rest)
  const listings = new Map<string, Listing>()
  // Level by level: the folders of one wait for the disk together, where it is slow.
  let level = [{ root, path: under, within: filter }]
  while (level.length > 0) {
    const next = await concurrently(level, async (place) => {
      await disk.turn()
      const listing = await listFolder(place, disk)
      if (listing === undefined) return []
      listings.set(place.path, listing)
      return foldersIn(listing).map((path) => ({ root, path, within: listing.filter }))
    })
    level = next.flat()
  }
  // An empty snapshot of a root that cannot be read would look like one whose files were all deleted: this throws.
  if (under === '' && listings.get('')?.skipped.every(({ path }) => path !== '') !== true) await disk.names(root)
  return assemble(listings, under)
}

function foldersIn(listing: Listing): string[] {
  return listing.entries.filter(({ type }) => type === 'folder').map(({ path }) => path)
}

function assemble(listings: ReadonlyMap<string, Listing>, under: string): Snapshot {
  const snapshot: Snapshot = { entries: new Map(), folders: new Map(), rules: new Map(), skipped: [] }
  add(under)
  return snapshot

  function add(folder: string): void {
    const listing = listings.get(folder)
    // It vanished after the folder that it is in was listed.
    if (listing === undefined) return
    snapshot.folders.set(folder, listing.filter)
    snapshot.rules.set(folder, listing.rules)
    snapshot.skipped.push(...listing.skipped)
    for (const entry of listing.entries) {
      if (entry.type === 'folder') addFolder(entry, listing)
      else snapshot.entries.set(entry.path, entry)
    }
  }

  function addFolder(entry: Entry, { walked }: Listing): void {
    const listing = listings.get(entry.path)
    if (listing === undefined) return
    snapshot.entries.set(entry.path, listing.own ?? entry)
    const before = snapshot.entries.size
    add(entry.path)
    if (walked.has(entry.path) && snapshot.entries.size === before) snapshot.entries.delete(entry.path)
  }
}
