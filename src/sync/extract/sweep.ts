import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { Disk } from '../local/disk.ts'
import { decodeName } from '../path.ts'
import { stagingPrefix } from '../rules/filter.ts'
import { type OpenFolder, openRoot } from './open-folder.ts'

export interface SweepOptions {
  /** Absolute, and without links: of a local root. */
  root: string
  /** In milliseconds; an hour, where it is not given. */
  olderThan?: number
  /** Those of a run that is known to be alive stay, however old. */
  isAlive?: (runId: string) => boolean
  /** Of which folders, by path; all of the root, where they are not given. */
  folders?: Iterable<string>
  signal?: AbortSignal
}

/**
 * Removes the files that runs left which were killed while they wrote: those with our prefix that nobody changed for an
 * hour. What a name says of its run does not tell whether that lives, as it may be on another machine with the same
 * folder; but one that lives writes, or renames, all the time. The time is ctime: mtime is set to what the pod has. Of a
 * run that slept for longer, on a laptop, one file is refused, and comes with the next archive.
 *
 * No link is followed, no `.git` entered and no folder removed; what cannot be read or removed stays.
 *
 * @returns the paths of what was removed
 * @throws the signal's reason when it aborts
 */
export async function sweep(options: SweepOptions): Promise<string[]> {
  const { root, folders = allFolders, signal } = options
  const disk = new Disk({ signal })
  const removed: string[] = []
  const base = openRoot(root)
  try {
    if (folders === allFolders) await walk(base, true)
    else for (const path of folders) await enter(base, path === '' ? [] : path.split('/'))
  } finally {
    base.close()
  }
  return removed

  /** Down to one folder, which is swept alone. */
  async function enter(folder: OpenFolder, names: readonly string[]): Promise<void> {
    const [name, ...rest] = names
    if (name === undefined) await walk(folder, false)
    else await within(folder, name, (inner) => enter(inner, rest))
  }

  async function walk(folder: OpenFolder, deep: boolean): Promise<void> {
    await disk.turn()
    for (const item of list(folder)) {
      if (item.isFolder) {
        if (deep && item.name !== '.git') await within(folder, item.name, (inner) => walk(inner, true))
      } else if (isLeftOver(folder, item.name, options) && remove(folder, item.name)) {
        removed.push(folder.path === '' ? item.name : `${folder.path}/${item.name}`)
      }
    }
  }
}

const allFolders: Iterable<string> = []
const hour = 60 * 60 * 1000

async function within(folder: OpenFolder, name: string, work: (inner: OpenFolder) => Promise<void>): Promise<void> {
  let inner: OpenFolder
  try {
    inner = folder.open(name)
  } catch {
    // It is gone, or a link by now, or not for us.
    return
  }
  try {
    await work(inner)
  } finally {
    inner.close()
  }
}

function list(folder: OpenFolder): { name: string; isFolder: boolean }[] {
  try {
    const items = readdirSync(folder.at(), { encoding: 'buffer', withFileTypes: true })
    return items.map((item) => ({ name: decodeName(item.name), isFolder: item.isDirectory() }))
  } catch {
    return []
  }
}

function isLeftOver(folder: OpenFolder, name: string, { olderThan = hour, isAlive }: SweepOptions): boolean {
  if (!name.startsWith(stagingPrefix)) return false
  // Whoever calls a file of theirs so keeps it.
  const [, runId] = /^([a-z0-9-]+)-\d+$/.exec(name.slice(stagingPrefix.length)) ?? []
  if (runId === undefined || isAlive?.(runId) === true) return false
  const stat = lstatSync(folder.at(name), { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.ctimeMs > olderThan
}

function remove(folder: OpenFolder, name: string): boolean {
  try {
    rmSync(folder.at(name))
    return true
  } catch {
    return false
  }
}
