import type { Entry } from '../entry.ts'

/** What has to be done to the one tree to make it the other. */
export interface Changes {
  /** What is no longer there, folders before what is in them. */
  removed: Entry[]
  /** What is new or different; folders before what is in them. */
  put: Entry[]
  /** Paths among `put` where a folder takes the place of something else, or the other way round. */
  replaced: Set<string>
}

/**
 * Compares two listings of a tree. A folder's mtime alone is no change: it follows what is in it, and what is ignored there.
 */
export function changesBetween(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>): Changes {
  const changes: Changes = { removed: [], put: [], replaced: new Set() }
  for (const entry of before.values()) if (!now.has(entry.path)) changes.removed.push(entry)
  for (const entry of now.values()) {
    const old = before.get(entry.path)
    if (old !== undefined && isSame(old, entry)) continue
    changes.put.push(entry)
    if (old !== undefined && (old.type === 'folder') !== (entry.type === 'folder')) changes.replaced.add(entry.path)
  }
  return changes
}

/** Of the changes, those of paths that are meant. */
export function only({ removed, put, replaced }: Changes, isMeant: (path: string) => boolean): Changes {
  return {
    removed: removed.filter(({ path }) => isMeant(path)),
    put: put.filter(({ path }) => isMeant(path)),
    replaced: new Set([...replaced].filter(isMeant)),
  }
}

/** Whether nothing has to be done. */
export function isEmpty({ removed, put }: Changes): boolean {
  return removed.length === 0 && put.length === 0
}

/** Whether two entries of one tree are, as far as their stat tells, the same thing unchanged. */
export function isSame(one: Entry, other: Entry): boolean {
  if (one.type === 'file' && other.type === 'file') {
    const sameContent = one.size === other.size && one.mtime === other.mtime && one.ctime === other.ctime
    return sameContent && one.mode === other.mode && one.ino === other.ino
  }
  if (one.type === 'link' && other.type === 'link') return one.target === other.target
  return one.type === 'folder' && other.type === 'folder' && one.mode === other.mode
}
