import { quote } from '../../exec/quote.ts'
import type { Entry, FolderEntry } from '../entry.ts'
import type { Changes } from '../local/changes.ts'
import { parentPath } from '../path.ts'
import { sparingOf } from './sparing.ts'
import { linesOf, remote } from './words.ts'

/** Something for the remote script to do: commands, and the archives that these unpack, in their order. */
export interface Request {
  /** Shell commands, all of which must succeed. */
  commands: string[]
  archives: Entry[][]
}

/** The first request of all: the whole tree, right to where it belongs, as nobody looks there yet. */
export function wholeTree(entries: readonly Entry[]): Request {
  const folders = entries.filter(isFolder)
  // Twice, as tars make absolute links last, which changes the times of the folders that these are in.
  return {
    commands: ['unpack root', 'unpack root', ...modesOf(folders.filter(isClosed))],
    archives: [[...entries], folders],
  }
}

export interface ApplyOptions {
  force: boolean
  spares?: boolean
}

/** Commands that remove files which are not to be there after all. */
export function removing(paths: readonly string[]): string[] {
  return where('rm -f --', paths)
}

/** Brings files and links beside the remote root: what became of each only its archive tells. */
export function staging(entries: readonly Entry[]): Request {
  // What was staged and then not wanted would be in the way.
  return { commands: ['rm -rf stage', 'mkdir stage', 'unpack stage'], archives: [[...entries]] }
}

/**
 * Makes the changes, their files and links being staged: what must go is removed, then each file is renamed into its place.
 *
 * Of a removed folder what is in it and was not sent stays, and with it the folder.
 *
 * @param tree the local tree as it is now
 * @param options.force remove what is in the way there; otherwise that fails the request
 * @param options.spares puts back what has changed, see {@link sparingOf}
 */
export function applying(changes: Changes, tree: ReadonlyMap<string, Entry>, { force, spares }: ApplyOptions): Request {
  const staged = changes.put.filter((entry) => entry.type !== 'folder')
  const sparing = spares ? sparingOf(changes) : { before: [], after: [] }
  const folders = touchedFolders(changes, tree)
  const toOpen = new Set(folders.map(({ path }) => path))
  return {
    commands: [
      ...sparing.before,
      ...removals(changes, staged, force),
      ...foldersOnTheWay([...staged.map(({ path }) => parentPath(path)), ...folders.map(({ path }) => path)]).map(
        (path) => `${toOpen.has(path) ? 'opened' : 'folder'} ${quote(remote(path))}`,
      ),
      ...moves(staged),
      ...sparing.after,
      ...(folders.length > 0 ? ['unpack root', ...modesOf(folders)] : []),
    ],
    archives: folders.length > 0 ? [folders] : [],
  }
}

/**
 * A tar that is not root, BusyBox's, sets the mode of a folder only where it makes it. What is in a folder comes before
 * it, as it may be one that nobody can enter then.
 */
function modesOf(folders: readonly FolderEntry[]): string[] {
  const alike: FolderEntry[][] = []
  for (const folder of folders.toSorted((one, other) => (one.path < other.path ? 1 : -1))) {
    const last = alike.at(-1)
    if (last?.[0]?.mode === folder.mode) last.push(folder)
    else alike.push([folder])
  }
  return alike.flatMap((some) =>
    linesOf(some.map(({ path }) => quote(remote(path)))).map((words) => `chmod ${some[0]?.mode.toString(8)} ${words}`),
  )
}

/** Archives open it while something is written in it. */
function isClosed({ mode }: FolderEntry): boolean {
  return (mode & 0o700) !== 0o700
}

function isFolder(entry: Entry): entry is FolderEntry {
  return entry.type === 'folder'
}

/** New folders, and those in which something comes or goes: their times change by that. */
function touchedFolders({ put, removed }: Changes, tree: ReadonlyMap<string, Entry>): FolderEntry[] {
  const paths = new Set([...put, ...removed].map(({ path }) => parentPath(path)))
  for (const entry of put) if (entry.type === 'folder') paths.add(entry.path)
  return [...paths].flatMap((path) => {
    const entry = tree.get(path)
    return entry?.type === 'folder' ? [entry] : []
  })
}

/** The folders and those that they are in, from the outside in. */
function foldersOnTheWay(paths: readonly string[]): string[] {
  const all = new Set<string>()
  for (const path of paths) for (let at = path; at !== ''; at = parentPath(at)) all.add(at)
  return [...all].toSorted()
}

function removals({ removed, replaced }: Changes, staged: readonly Entry[], force: boolean): string[] {
  const inTheWay = new Set([...replaced, ...(force ? staged.map(({ path }) => path) : [])])
  const files = removed.filter((entry) => !isFolder(entry)).map(({ path }) => path)
  const folders = removed.filter(isFolder).map(({ path }) => path)
  return [
    ...where('away', [...inTheWay]),
    ...where('rm -f --', files),
    // What is in them first. One that is not empty, or not there, is fine.
    ...folders
      .toSorted()
      .toReversed()
      .map((path) => `{ ${guarded(parentPath(path), `rmdir -- ${quote(remote(path))} 2>/dev/null`)} || :; }`),
  ]
}

/** The command for all these paths, folder by folder, and only where that folder is no link. */
function where(command: string, paths: readonly string[]): string[] {
  const groups = Map.groupBy(paths, parentPath)
  return [...groups].flatMap(([folder, inIt]) =>
    linesOf(inIt.map((path) => quote(remote(path)))).map((words) => guarded(folder, `${command} ${words}`)),
  )
}

function guarded(folder: string, command: string): string {
  const folders = foldersOnTheWay([folder])
  if (folders.length === 0) return command
  const real = folders.map((path) => `real ${quote(remote(path))}`).join(' && ')
  return `{ ! { ${real}; } || { writable ${quote(remote(folder))} && ${command}; }; }`
}

function moves(staged: readonly Entry[]): string[] {
  const groups = Map.groupBy(
    staged.map(({ path }) => path),
    parentPath,
  )
  return [...groups].flatMap(([folder, paths]) =>
    linesOf(paths.map((path) => quote(`stage/${path}`))).map(
      (words) => `mv -f -- ${words} ${quote(`${remote(folder)}/`)}`,
    ),
  )
}
