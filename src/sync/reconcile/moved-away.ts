import type { FileEntry } from '../entry.ts'
import { lastName } from '../path.ts'
import type { Sides } from './sides.ts'

/**
 * Files that the command moved to where nothing comes back from, such as `config.json` to a `config.json.bak` that is
 * ignored, or packed there, as gzip does: the copy here is the last one once the pod is gone.
 * @returns by path, where it is now
 */
export function movedAway({ baseline, remote, comesBack }: Omit<Sides, 'unsent' | 'local'>): Map<string, string> {
  const gone = new Map<string, FileEntry>()
  for (const [path, { remote: was, local }] of baseline) {
    if (was?.type === 'file' && local !== undefined && !remote.has(path)) gone.set(path, was)
  }
  const moved = new Map<string, string>()
  if (gone.size === 0) return moved
  const byInode = new Map([...gone.values()].map((was) => [was.ino, was]))
  for (const [to, entry] of remote) {
    if (entry.type !== 'file' || comesBack(to, false)) continue
    const was = byInode.get(entry.ino)
    if (was !== undefined && was.mtime === entry.mtime && was.size === entry.size) moved.set(was.path, to)
    // What is new there, and named after it.
    else if (!baseline.has(to)) for (const path of originalsOf(to)) if (gone.has(path)) moved.set(path, to)
  }
  return moved
}

/** `a.tar` and `a` for `a.tar.gz`. */
function* originalsOf(path: string): Generator<string> {
  const begin = path.length - lastName(path).length
  for (let at = path.lastIndexOf('.'); at > begin; at = path.lastIndexOf('.', at - 1)) yield path.slice(0, at)
}
