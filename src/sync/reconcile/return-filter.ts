import { parentPath } from '../path.ts'
import type { FolderFilter } from '../rules/filter.ts'
import { stagingPrefix } from '../rules/filter.ts'
import { type Inclusion, openInclusion } from '../rules/inclusion.ts'

export interface ReturnFilterOptions {
  /** Of the folders that are here and walked, '' for the root. */
  folders: ReadonlyMap<string, FolderFilter>
  /** Of `--return`. */
  patterns: readonly string[]
  /** Whether capitals do not count; see `core.ignoreCase`. */
  fold: boolean
  /** The filter of the root with the ignore files as they are in the pod, where these are others than here. */
  there?: FolderFilter | undefined
  /** Whether something is known to be on both sides: as git with what is tracked, an ignore file of the pod’s does not take it out. */
  isShared: (path: string) => boolean
  /** What says what goes, of a folder that is walked here: names of ignore files, and `.git`. */
  namesHere: (path: string) => ReadonlySet<string>
}

interface Rules {
  /** Undefined where nothing goes. */
  goes: FolderFilter | undefined
  /** By the pod's own ignore files; undefined where it has none, `out` where nothing comes that is there alone. */
  there: FolderFilter | 'out' | undefined
  returns: Inclusion | undefined
}

export type ComesBack = (path: string, isFolder: boolean) => boolean

export interface ReturnFilter {
  comesBack: ComesBack
  /** Whether anything in a folder may come back. */
  mayComeFrom: (folder: string) => boolean
}

/**
 * What comes back: what would go up if it were here, and what `--return` names. Nothing of a `.git` does, nor of ours. What
 * the pod's own ignore files name stays there as well: they can take out what is there alone, and let nothing in.
 * @param folders all folders that anything which is asked about may be in
 */
export async function returnFilter(folders: Iterable<string>, options: ReturnFilterOptions): Promise<ReturnFilter> {
  const returns = openInclusion(options.patterns, options.fold)
  const rules = new Map<string, Rules>([['', { goes: options.folders.get(''), there: options.there, returns }]])
  for (const folder of folders) {
    for (const path of missing(folder, rules)) rules.set(path, await inside(path, rules, options))
  }
  const comesBack: ComesBack = (path, isFolder) => {
    const [name, within] = [nameOf(path), rules.get(parentPath(path))]
    if (within === undefined || isNobodys(name)) return false
    const isIn = within.goes?.verdict(name, isFolder).answer === 'in'
    const goes = isIn && (options.isShared(path) || !isOutThere(within, name, isFolder))
    return goes || within.returns?.verdict(name, isFolder).answer === 'in'
  }
  const mayComeFrom = (folder: string): boolean => {
    const within = rules.get(folder) ?? nothing
    return (within.goes !== undefined && within.there !== 'out') || within.returns !== undefined
  }
  return { comesBack, mayComeFrom }
}

/** Of what nothing comes. */
const nothing: Rules = { goes: undefined, there: undefined, returns: undefined }

/** The folder and those above it that are not known yet, the outermost first. */
function missing(folder: string, rules: ReadonlyMap<string, Rules>): string[] {
  const paths: string[] = []
  for (let at = folder; !rules.has(at); at = parentPath(at)) paths.push(at)
  return paths.toReversed()
}

async function inside(
  path: string,
  rules: ReadonlyMap<string, Rules>,
  { folders, namesHere }: ReturnFilterOptions,
): Promise<Rules> {
  const [name, within] = [nameOf(path), rules.get(parentPath(path))]
  if (within === undefined || isNobodys(name)) return nothing
  const isOut = within.goes === undefined || within.goes.verdict(name, true).answer === 'out'
  // Of a folder that is only there, no ignore file is known here.
  const goes = isOut ? undefined : (folders.get(path) ?? (await within.goes?.enter(name, new Set())))
  const there = isOut ? undefined : await insideThere(within, name, () => namesOf(path))
  return { goes, there, returns: within.returns?.inside(name) }

  function namesOf(folder: string): ReadonlySet<string> {
    return folders.has(folder) ? namesHere(folder) : new Set()
  }
}

async function insideThere(within: Rules, name: string, names: () => ReadonlySet<string>): Promise<Rules['there']> {
  if (within.there === undefined) return undefined
  if (within.there === 'out' || isOutThere(within, name, true)) return 'out'
  return within.there.enter(name, names())
}

function isOutThere({ there }: Rules, name: string, isFolder: boolean): boolean {
  return there === 'out' || there?.verdict(name, isFolder).answer === 'out'
}

function isNobodys(name: string): boolean {
  return name === '.git' || name.startsWith(stagingPrefix)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
