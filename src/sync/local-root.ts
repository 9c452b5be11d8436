import { resolve } from 'node:path'
import { KuberunError } from '../errors.ts'
import { Disk, type Name } from './disk.ts'
import { type FilterOptions, type FolderFilter, openFilter } from './filter.ts'

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
 * @throws {KuberunError} `local`: it cannot be listed, or its rules cannot be read
 */
export async function openLocalRoot({ dir, ...rules }: LocalRootOptions): Promise<LocalRoot> {
  const path = resolve(dir)
  const names = await namesIn(path)
  return { path, filter: await openFilter(path, new Set(names.map(({ name }) => name)), rules) }
}

async function namesIn(path: string): Promise<Name[]> {
  try {
    return await new Disk().names(path)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    throw new KuberunError('local', `cannot list the local folder "${path}": ${words[code] ?? message}`, { cause })
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is no folder',
  EACCES: 'permission denied',
}
