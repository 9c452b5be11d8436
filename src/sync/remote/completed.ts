import type { Entry } from '../entry.ts'
import { parentPath } from '../path.ts'

/**
 * A listing in which folders that nobody looked into have in them what they had before.
 * @param isUnknown whether nobody looked into a folder that is listed
 */
export function completed(
  now: ReadonlyMap<string, Entry>,
  before: ReadonlyMap<string, Entry>,
  isUnknown: (folder: string) => boolean,
): Map<string, Entry> {
  const entries = new Map(now)
  for (const [path, entry] of before) {
    if (now.has(path)) continue
    const folder = nearest(path, now)
    if ((folder === '' || now.get(folder)?.type === 'folder') && isUnknown(folder)) entries.set(path, entry)
  }
  return entries
}

/** Folders that are listed, or '', the root, and nothing in them. */
export function emptyIn(listing: ReadonlyMap<string, Entry>): Set<string> {
  const folders = new Set([''])
  for (const [path, { type }] of listing) if (type === 'folder') folders.add(path)
  for (const path of listing.keys()) folders.delete(parentPath(path))
  return folders
}

/** The innermost of what a path is in that is listed; the root is. */
function nearest(path: string, listing: ReadonlyMap<string, Entry>): string {
  let at = parentPath(path)
  while (at !== '' && !listing.has(at)) at = parentPath(at)
  return at
}
