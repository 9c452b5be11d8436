import type { Entry } from '../entry.ts'
import type { Node } from './node.ts'

/**
 * Whether both sides have the same: where a link leads; what is in a file, and whether it can be executed, as git has it.
 * @param contents what was found by hashing
 * @returns undefined where only hashes can tell
 */
export function isSameContent(
  { path, here, there }: Node,
  contents: ReadonlyMap<string, boolean>,
): boolean | undefined {
  if (here?.type === 'link' && there?.type === 'link') return here.target === there.target
  if (here?.type !== 'file' || there?.type !== 'file') return false
  if (here.size !== there.size || isExecutable(here.mode) !== isExecutable(there.mode)) return false
  return here.size === 0 ? true : contents.get(path)
}

function isExecutable(mode: number): boolean {
  return (mode & 0o111) !== 0
}

/** Whether of a file only ctime and inode have changed: by a chown, a copy with its times, or times set back. */
export function isSameStat(was: Entry | undefined, is: Entry | undefined): boolean {
  if (was?.type !== 'file' || is?.type !== 'file') return false
  return was.size === is.size && was.mtime === is.mtime && was.mode === is.mode
}
