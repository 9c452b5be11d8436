import { type BigIntStats, existsSync } from 'node:fs'
import { type Entry, type FolderEntry, fileEntry, folderEntry } from '../entry.ts'
import { childPath, lastName, localPath } from '../path.ts'
import type { FolderFilter } from '../rules/filter.ts'
import { rulesFiles } from '../rules/given-rules.ts'
import { concurrently } from './concurrently.ts'
import { Disk, type Name } from './disk.ts'

/** A folder to list. */
export interface Place {
  root: string
  /** '' is the root itself. */
  path: string
  /** The filter of the folder that this one is in; of the root, its own. */
  within: FolderFilter
}

/** What is in one folder, not what is in the folders in it. */
export interface Listing {
  /** The folder's own, of now: its ignore file may have changed. */
  filter: FolderFilter
  /** The folder itself, of when its names had been read: no mtime of before a name that is listed. None of the root. */
  own: FolderEntry | undefined
  /** A text that is another one where what decides about all below the folder may have changed. */
  rules: string
  /** What goes, and the folders that may; sorted by name. */
  entries: Entry[]
  /** The paths of those folders among them that go only where something below them does. */
  walked: ReadonlySet<string>
  skipped: Skipped[]
}

/** Something that should go and cannot. */
export interface Skipped {
  path: string
  /** `a socket`, `EACCES` */
  why: string
}

/**
 * Lists one folder. What cannot be read is skipped; what vanishes meanwhile is not there.
 * @returns undefined where there is no such folder (any more)
 * @throws what node:fs throws where we are to blame: no more descriptors, no more memory
 */
export async function listFolder(place: Place, disk = new Disk()): Promise<Listing | undefined> {
  let names: Name[] = []
  const skipped: Skipped[] = []
  try {
    names = await disk.names(localPath(place.root, place.path))
  } catch (error) {
    const why = reason(error)
    if (why === undefined) return undefined
    skipped.push({ path: place.path, why })
  }
  const own = await ownEntry(place, disk)
  if (place.path !== '' && own === undefined) return undefined
  // Before they are read: what changes meanwhile shows the next time.
  const rules = await rulesStamp(place, names, disk)
  const filter = await filterOf(place, names)
  const walked = new Set<string>()
  const ofNames = await concurrently(names.toSorted(byName), (name) => entryOf({ place, filter, disk }, name, walked))
  const found = ofNames.filter((one) => one !== undefined)
  return {
    filter,
    own,
    rules,
    entries: found.filter((one) => 'type' in one),
    walked,
    skipped: skipped.concat(found.filter((one) => 'why' in one)),
  }
}

const vanished = ['ENOENT', 'ENOTDIR']
const ours = ['EMFILE', 'ENFILE', 'ENOMEM']

/**
 * Why something is skipped: the error's code; undefined where it vanished.
 * @throws the error where it says nothing of the thing itself
 */
function reason(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined || ours.includes(code)) throw error
  return vanished.includes(code) ? undefined : code
}

async function ownEntry({ root, path }: Place, disk: Disk): Promise<FolderEntry | undefined> {
  if (path === '') return undefined
  try {
    const stat = await disk.lstat(localPath(root, path))
    return stat.isDirectory() ? folderEntry(path, stat) : undefined
  } catch (error) {
    if (reason(error) === undefined) return undefined
    throw error
  }
}

/** What says what goes: files with rules, and that a repository begins. They themselves need not go. */
const rulesNames: readonly string[] = ['.git', ...rulesFiles]

/** Which of them are in a folder of the root. */
export function rulesNamesIn(root: string, path: string): Set<string> {
  return new Set(rulesNames.filter((name) => existsSync(localPath(root, childPath(path, name)))))
}

async function rulesStamp({ root, path }: Place, names: readonly Name[], disk: Disk): Promise<string> {
  const present = names.filter(({ name }) => rulesNames.includes(name))
  const stamps = present.map(async ({ name, isFolder }) => {
    try {
      const { ino, ctimeNs } = await disk.lstat(localPath(root, childPath(path, name)))
      // What is in a repository changes all the time.
      return `${name} ${ino} ${isFolder ? '' : ctimeNs}`
    } catch (error) {
      return `${name} ${reason(error)}`
    }
  })
  return (await Promise.all(stamps)).toSorted().join('\n')
}

async function filterOf({ path, within }: Place, names: readonly Name[]): Promise<FolderFilter> {
  if (path === '') return within
  return within.enter(lastName(path), new Set(names.map(({ name }) => name)))
}

function byName(one: Name, other: Name): number {
  return one.name < other.name ? -1 : 1
}

interface Around {
  place: Place
  filter: FolderFilter
  disk: Disk
}

async function entryOf(around: Around, name: Name, walked: Set<string>): Promise<Entry | Skipped | undefined> {
  const { place, filter, disk } = around
  let { answer } = filter.verdict(name.name, name.isFolder)
  // What does not go is not asked for what it is: a folder of ignored files costs next to nothing.
  if (answer === 'out') return undefined
  await disk.turn()
  const path = childPath(place.path, name.name)
  try {
    const local = localPath(place.root, path)
    const stat = await disk.lstat(local)
    if (stat.isDirectory() !== name.isFolder) answer = filter.verdict(name.name, stat.isDirectory()).answer
    if (answer === 'out') return undefined
    if (answer === 'walk') walked.add(path)
    if (stat.isSymbolicLink()) {
      return { type: 'link', path, target: await disk.readlink(local), mtime: stat.mtimeNs }
    }
    return entryOfStat(path, stat)
  } catch (error) {
    const why = reason(error)
    return why === undefined ? undefined : { path, why }
  }
}

function entryOfStat(path: string, stat: BigIntStats): Entry | Skipped {
  if (stat.isFile()) return fileEntry(path, stat)
  if (stat.isDirectory()) return folderEntry(path, stat)
  if (stat.isSocket()) return { path, why: 'a socket' }
  return { path, why: stat.isFIFO() ? 'a FIFO' : 'a device' }
}
