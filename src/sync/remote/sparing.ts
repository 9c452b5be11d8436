import { quote } from '../../exec/quote.ts'
import type { Changes } from '../local/changes.ts'
import { lastName, parentPath } from '../path.ts'
import { linesOf, remote } from './words.ts'

/** Of 255 bytes each, with what quotes them, these fit into one command. */
const mostNames = 50

/** Paths of files that changes may write over or remove. */
export function overwritten({ put, removed }: Changes): string[] {
  return [...removed, ...put].filter(({ type }) => type !== 'folder').map(({ path }) => path)
}

/** Commands that note how these files are, for {@link sparingOf}. */
export function noting(paths: readonly string[]): string[] {
  return [
    'rm -rf kept notes',
    ...linesOf(paths.map((path) => quote(remote(path)))).map((words) => `noted ${words}`),
    'allnoted',
  ]
}

/**
 * Commands right before and after changes are made, which put back what is not as it was when {@link noting} was done. The
 * answer has the numbers of that, in {@link overwritten}.
 */
export function sparingOf(changes: Changes): { before: string[]; after: string[] } {
  const groups = groupsOf(overwritten(changes))
  return {
    before: groups.flatMap(({ names, folder }, group) =>
      linesOf(names.map((name) => quote(`${folder}/${name}`))).map((words) => `kept ${group} ${words}`),
    ),
    after: [
      ...groups.map(({ names, folder, first }, group) => {
        return `spared ${group} ${first} ${quote(folder)} ${names.map((name) => quote(name)).join(' ')}`
      }),
      // What was in its place may be large.
      ...(groups.length > 0 ? ['rm -rf kept'] : []),
    ],
  }
}

interface Group {
  folder: string
  names: string[]
  /** The number of the first of them. */
  first: number
}

/** Paths by the folders that they are in, as long as they follow each other. */
function groupsOf(paths: readonly string[]): Group[] {
  const groups: Group[] = []
  for (const [number, path] of paths.entries()) {
    const folder = remote(parentPath(path))
    const last = groups.at(-1)
    if (last?.folder === folder && last.names.length < mostNames) last.names.push(lastName(path))
    else groups.push({ folder, names: [lastName(path)], first: number })
  }
  return groups
}
