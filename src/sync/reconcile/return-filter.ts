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
}

interface Rules {
  /** Undefined where nothing goes. */
  goes: FolderFilter | undefined
  returns: Inclusion | undefined
}

export type ComesBack = (path: string, isFolder: boolean) => boolean

/**
 * What comes back: what would go up if it were here, and what `--return` names. Nothing of a `.git` does, nor of ours.
 * @param folders all folders that anything which is asked about may be in
 */
export async function returnFilter(folders: Iterable<string>, options: ReturnFilterOptions): Promise<ComesBack> {
  const returns = openInclusion(options.patterns, options.fold)
  const rules = new Map<string, Rules>([['', { goes: options.folders.get(''), returns }]])
  for (const folder of folders) {
    for (const path of missing(folder, rules)) rules.set(path, await inside(path, rules, options))
  }
  return (path, isFolder) => {
    const [name, within] = [nameOf(path), rules.get(parentPath(path))]
    if (within === undefined || isNobodys(name)) return false
    return (
      within.goes?.verdict(name, isFolder).answer === 'in' || within.returns?.verdict(name, isFolder).answer === 'in'
    )
  }
}

/** The folder and those above it that are not known yet, the outermost first. */
function missing(folder: string, rules: ReadonlyMap<string, Rules>): string[] {
  const paths: string[] = []
  for (let at = folder; !rules.has(at); at = parentPath(at)) paths.push(at)
  return paths.toReversed()
}

async function inside(
  path: string,
  rules: ReadonlyMap<string, Rules>,
  { folders }: ReturnFilterOptions,
): Promise<Rules> {
  const [name, within] = [nameOf(path), rules.get(parentPath(path))]
  if (within === undefined || isNobodys(name)) return { goes: undefined, returns: undefined }
  const isOut = within.goes === undefined || within.goes.verdict(name, true).answer === 'out'
  // Of a folder that is only there, no ignore file is known here.
  const goes = isOut ? undefined : (folders.get(path) ?? (await within.goes?.enter(name, new Set())))
  return { goes, returns: within.returns?.inside(name) }
}

function isNobodys(name: string): boolean {
  return name === '.git' || name.startsWith(stagingPrefix)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
