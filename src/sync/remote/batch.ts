import { quote } from '../../exec/quote.ts'
import type { Entry, FolderEntry } from '../entry.ts'
import type { Changes } from '../local/changes.ts'
import { lastName, parentPath } from '../path.ts'

/** Something for the remote script to do: commands, and the archives that these unpack, in their order. */
export interface Request {
  /** Shell commands, all of which must succeed. */
  commands: string[]
  archives: Entry[][]
}

/** How many characters, of up to three bytes each, the words of one command may have: Linux takes 128 KiB at least. */
const longest = 30_000

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

/** Paths of files that changes may write over or remove. */
export function overwritten({ put, removed }: Changes): string[] {
  return [...removed, ...put].filter(({ type }) => type !== 'folder').map(({ path }) => path)
}

/** Notes how these files are, for {@link applying} to spare those that are others by then. */
export function noting(paths: readonly string[]): string[] {
  return [
    'rm -rf kept notes',
    ...linesOf(paths.map((path) => quote(remote(path)))).map((words) => `noted ${words}`),
    'allnoted',
  ]
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

/** Of 255 bytes each, with what quotes them, that is no more than {@link longest}. */
const mostNames = 50

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
 * @param options.spares puts back what is not as it was when {@link noting} was done: their numbers, in
 *   {@link overwritten}, are the answer
 */
export function applying(changes: Changes, tree: ReadonlyMap<string, Entry>, { force, spares }: ApplyOptions): Request {
  const staged = changes.put.filter((entry) => entry.type !== 'folder')
  const spared = spares ? groupsOf(overwritten(changes)) : []
  const folders = touchedFolders(changes, tree)
  const toOpen = new Set(folders.map(({ path }) => path))
  return {
    commands: [
      ...spared.flatMap(({ names, folder }, group) =>
        linesOf(names.map((name) => quote(`${folder}/${name}`))).map((words) => `kept ${group} ${words}`),
      ),
      ...removals(changes, staged, force),
      ...foldersOnTheWay([...staged.map(({ path }) => parentPath(path)), ...folders.map(({ path }) => path)]).map(
        (path) => `${toOpen.has(path) ? 'opened' : 'folder'} ${quote(remote(path))}`,
      ),
      ...moves(staged),
      ...spared.map(({ names, folder, first }, group) => {
        return `spared ${group} ${first} ${quote(folder)} ${names.map((name) => quote(name)).join(' ')}`
      }),
      // What was in its place may be large.
      ...(spared.length > 0 ? ['rm -rf kept'] : []),
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

function remote(path: string): string {
  return path === '' ? 'root' : `root/${path}`
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

/** Words joined to lines that are not too long for one command. */
function linesOf(words: readonly string[]): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length > longest) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
