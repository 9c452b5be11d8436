import { lstatSync, readlinkSync } from 'node:fs'
import { fileEntry, folderEntry } from '../entry.ts'
import type { OpenFolder } from '../extract/open-folder.ts'
import { OpenTree } from '../extract/open-tree.ts'
import { errnoOf, Refusal } from '../extract/refusal.ts'
import { Disk } from '../local/disk.ts'
import { childPath, decodeName, parentPath } from '../path.ts'
import type { Here } from './baseline.ts'
import type { Places } from './places.ts'

/**
 * Looks at something in a folder.
 * @throws an error of node:fs, but not where nothing is there
 */
export function lookIn(folder: OpenFolder, path: string): Here | undefined {
  const at = folder.at(path.slice(path.lastIndexOf('/') + 1))
  const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (stat.isFile()) return fileEntry(path, stat)
  if (stat.isDirectory()) return folderEntry(path, stat)
  if (!stat.isSymbolicLink()) return { type: 'other', path }
  return { type: 'link', path, target: decodeName(readlinkSync(at, 'buffer')), mtime: stat.mtimeNs }
}

/** Looks at a path, never through a link. What cannot be looked at counts as something that nobody writes over. */
export function lookAt(tree: OpenTree, path: string): Here | undefined {
  try {
    return lookIn(tree.folderOf(path, { make: false }), path)
  } catch (error) {
    if (error instanceof Refusal || errnoOf(error) === 'ENOENT') return undefined
    return { type: 'other', path }
  }
}

/** What is here of some places and does not go, by path. */
export async function unsentHere(
  root: string,
  { paths, folders }: Places,
  { goes, signal }: { goes: ReadonlyMap<string, unknown>; signal: AbortSignal },
): Promise<Map<string, Here>> {
  const disk = new Disk({ signal })
  using tree = new OpenTree(root, { foldsNames: () => false })
  const found = new Map<string, Here>()
  const waiting = [...folders]
  // A folder before what is in it: where that is none here, nothing is in it.
  const none = new Set<string>()
  for (const path of [...paths].toSorted()) {
    await disk.turn()
    if (none.has(parentPath(path)) || note(path)?.type !== 'folder') none.add(path)
  }
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    await disk.turn()
    for (const name of namesIn(folder)) {
      const here = note(childPath(folder, name))
      if (here?.type === 'folder' && !folders.has(here.path)) waiting.push(here.path)
    }
  }
  return found

  function note(path: string): Here | undefined {
    const here = lookAt(tree, path)
    if (here !== undefined && !goes.has(path)) found.set(path, here)
    return here
  }

  function namesIn(folder: string): string[] {
    try {
      const inside = tree.folderOf(childPath(folder, 'x'), { make: false })
      return inside.names()
    } catch {
      return []
    }
  }
}
