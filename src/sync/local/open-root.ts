import { type FilterOptions, type FolderFilter, openFilter } from '../rules/filter.ts'
import { Disk } from './disk.ts'
import { checkLocalRoot } from './local-root.ts'

export interface LocalRootOptions extends FilterOptions {
  /** A folder's path. */
  dir: string
}

/** The folder that goes up. */
export interface LocalRoot {
  /** Absolute. */
  path: string
  filter: FolderFilter
}

/**
 * Finds the local root and reads the rules that hold in it.
 * @throws {KuberunError} `usage`: it can be no local root; `local`: its rules cannot be read
 */
export async function openLocalRoot({ dir, ...rules }: LocalRootOptions): Promise<LocalRoot> {
  const path = await checkLocalRoot(dir)
  const names = await new Disk().names(path)
  return { path, filter: await openFilter(path, new Set(names.map(({ name }) => name)), rules) }
}
