import type { Entry } from '../entry.ts'
import { parentPath } from '../path.ts'
import type { ComesBack } from './return-filter.ts'

/** To name more of them takes longer than to look into them. */
const mostFolders = 50
/** Smaller ones are as soon looked into. */
const worthwhile = 50

/**
 * Folders in the pod that nothing comes from and nothing has gone to, such as a `node_modules`: nobody need look into them.
 * The outermost of them, and the largest.
 * @param remote what is there
 * @param local what goes
 */
export function idleFolders(
  remote: ReadonlyMap<string, Entry>,
  local: ReadonlyMap<string, Entry>,
  comesBack: ComesBack,
): Set<string> {
  // Folders that something is in, or that are something themselves.
  const busy = new Set([''])
  const note = (path: string): void => {
    for (let at = path; !busy.has(at); at = parentPath(at)) busy.add(at)
  }
  for (const path of local.keys()) note(path)
  for (const [path, { type }] of remote) if (comesBack(path, type === 'folder')) note(path)
  const sizes = new Map<string, number>()
  const outermost = new Map<string, string>()
  for (const path of remote.keys()) {
    const idle = outermostIdle(parentPath(path), busy, outermost)
    if (idle !== undefined) sizes.set(idle, (sizes.get(idle) ?? 0) + 1)
  }
  const large = [...sizes].filter(([path, size]) => size >= worthwhile && remote.get(path)?.type === 'folder')
  return new Set(
    large
      .toSorted(([, one], [, other]) => other - one)
      .slice(0, mostFolders)
      .map(([path]) => path),
  )
}

/** The outermost folder that is not busy, of a folder and those that it is in. @param known answers, by folder */
function outermostIdle(folder: string, busy: ReadonlySet<string>, known: Map<string, string>): string | undefined {
  const below: string[] = []
  let at = folder
  while (!known.has(at) && !busy.has(at)) {
    below.push(at)
    at = parentPath(at)
  }
  const idle = known.get(at) ?? below.at(-1)
  if (idle !== undefined) for (const path of below) known.set(path, idle)
  return idle
}
