import { parentPath } from '../path.ts'
import { isSameThing } from './node.ts'
import type { Sides } from './sides.ts'

/** Where somebody has to look what is here, beyond what goes. */
export interface Places {
  /** Paths to look at, with the folders that they are in: what is there belongs to {@link Sides.unsent}. */
  paths: Set<string>
  /** Where these are folders here, that the command removed or put something else in the place of, all in them that does not go belongs there. */
  folders: Set<string>
}

/** Before {@link Sides.unsent} is known: where something may be here that does not go. */
export function placesToLookAt({ baseline, local, remote, comesBack }: Omit<Sides, 'unsent'>): Places {
  const paths = new Set<string>()
  const folders = new Set<string>()
  for (const [path, entry] of remote) {
    if (local.has(path) || isSameThing(baseline.get(path)?.remote, entry)) continue
    if (!comesBack(path, entry.type === 'folder')) continue
    for (let at = path; at !== '' && !local.has(at); at = parentPath(at)) paths.add(at)
  }
  for (const [path, { local: was }] of baseline) {
    // What no longer goes may still be here.
    if (was !== undefined && !local.has(path)) paths.add(path)
    if (was?.type === 'folder' && remote.get(path)?.type !== 'folder') folders.add(path)
  }
  for (const [path, { type }] of local) {
    const there = remote.get(path)
    if (type === 'folder' && there !== undefined && there.type !== 'folder') folders.add(path)
  }
  return { paths, folders }
}
