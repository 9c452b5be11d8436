import { chmodSync, lstatSync, mkdirSync, utimesSync } from 'node:fs'
import { folderEntry } from '../entry.ts'
import { lastName } from '../path.ts'
import type { Extracting, FolderPlan } from './extracting.ts'
import type { OpenFolder } from './open-folder.ts'
import type { Placing } from './put-entry.ts'
import { errnoOf, Refusal } from './refusal.ts'
import { fsTime } from './staged.ts'
import { owners } from './unlocked.ts'

/**
 * Makes a folder, or takes the one that is there, as one that we may write to; its mode and mtime come last, with
 * {@link finishFolders}.
 * @throws {Refusal} something else is in its place
 */
export function putFolder({ entry, path }: Placing, extracting: Extracting): void {
  const { tree, unlocked, folders } = extracting
  const parent = tree.folderOf(path, { make: true })
  const name = lastName(path)
  tree.checkSpelling(name)
  unlocked.unlock(parent)
  if (lstatSync(parent.at(name), { throwIfNoEntry: false }) === undefined) mkdirSync(parent.at(name), owners)
  const folder = openChild(parent, name)
  try {
    const mode = Number(folder.stat().mode) & 0o7777
    if ((mode & owners) !== owners) chmodSync(folder.at(), mode | owners)
  } finally {
    folder.close()
  }
  folders.set(path, { path: entry.path, mode: entry.mode & permissions, mtime: entry.mtime })
}

/** Setgid is usual in pods, where a volume has a group, and says nothing here. */
const permissions = 0o1777

/** What is left to do for each folder, those in a folder before it: each is a work that may fail by itself. */
export function finishFolders(extracting: Extracting): { path: string; run: () => void }[] {
  return [...extracting.folders]
    .toSorted(([one], [other]) => (one < other ? 1 : -1))
    .map(([path, plan]) => ({ path: plan.path, run: () => finish(path, plan, extracting) }))
}

function finish(path: string, plan: FolderPlan, { tree, options }: Extracting): void {
  const folder = openChild(tree.folderOf(path, { make: false }), lastName(path))
  try {
    chmodSync(folder.at(), plan.mode)
    utimesSync(folder.at(), fsTime(plan.mtime), fsTime(plan.mtime))
    options.report.put.push({ path: plan.path, entry: folderEntry(path, folder.stat()) })
  } finally {
    folder.close()
  }
}

function openChild(parent: OpenFolder, name: string): OpenFolder {
  try {
    return parent.open(name)
  } catch (error) {
    const code = errnoOf(error)
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error
    const isLink = lstatSync(parent.at(name), { throwIfNoEntry: false })?.isSymbolicLink() === true
    throw new Refusal(isLink ? 'there is a link in its place' : 'there is a file in its place')
  }
}
