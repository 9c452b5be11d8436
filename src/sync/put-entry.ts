import { type BigIntStats, lstatSync } from 'node:fs'
import { fileEntry, type LinkEntry } from './entry.ts'
import type { Extracting } from './extracting.ts'
import { foreignPieces, foreignSync } from './foreign.ts'
import { openOriginal, readOriginal } from './original.ts'
import { lastName, parentPath } from './path.ts'
import { putFolder } from './put-folder.ts'
import { Refusal } from './refusal.ts'
import { Staged } from './staged.ts'
import type { TarEntry } from './tar-entry.ts'
import { pathWanted } from './wanted-path.ts'

/** An entry that was checked, and the path that it is to have here. */
export interface Placing {
  entry: TarEntry
  content: AsyncIterable<Buffer>
  path: string
}

/**
 * Puts an entry into the local root.
 * @throws {Refusal} it cannot be put as the tree is
 * @throws an error of node:fs
 */
export async function putEntry(placing: Placing, extracting: Extracting): Promise<void> {
  const { type } = placing.entry
  if (type === 'folder') putFolder(placing, extracting)
  else if (type === 'link') putLink(placing, extracting)
  else if (type === 'hard link') await putCopy(placing, extracting)
  else await putFile(placing, extracting)
}

async function putFile({ entry, content, path }: Placing, extracting: Extracting): Promise<void> {
  const folder = folderFor(path, extracting)
  using staged = Staged.file(folder, extracting.names)
  for await (const piece of foreignPieces(content)) await staged.write(piece)
  staged.setFile({ mode: entry.mode & permissions, mtime: entry.mtime })
  const placed = place(staged, { entry, path }, extracting)
  if (placed === undefined) return
  putDone(entry.path, placed, extracting)
  if ((entry.mode & strange) !== 0) extracting.refuse(entry.path, 'it is here without its setuid and setgid bits')
}

/** As in entries: the sticky bit too. */
const permissions = 0o1777
const strange = 0o6000

/** What was put under another name is found by that one. */
async function putCopy({ entry, path }: Placing, extracting: Extracting): Promise<void> {
  using original = openOriginal(entry.target, extracting)
  const { mode, mtime, size } = original.entry
  // Many names of one large file are a bomb too.
  extracting.count.add('bytes', size)
  using staged = Staged.file(folderFor(path, extracting), extracting.names)
  for (const piece of readOriginal(original)) await staged.write(piece)
  staged.setFile({ mode, mtime })
  const placed = place(staged, { entry, path }, extracting)
  if (placed !== undefined) putDone(entry.path, placed, extracting)
}

function putDone(path: string, { at, stat }: Placed, { options, files }: Extracting): void {
  const done = fileEntry(at, stat)
  files.set(path, done)
  options.report.put.push({ path, entry: done })
}

function putLink({ entry, path }: Placing, extracting: Extracting): void {
  using staged = Staged.link(folderFor(path, extracting), extracting.names, entry.target)
  staged.setLinkTime(entry.mtime)
  const placed = place(staged, { entry, path }, extracting)
  if (placed === undefined) return
  const done: LinkEntry = { type: 'link', path: placed.at, target: entry.target, mtime: placed.stat.mtimeNs }
  extracting.options.report.put.push({ path: entry.path, entry: done })
}

/** The folder for something with this path, which it may have. */
function folderFor(path: string, { tree }: Extracting): ReturnType<Extracting['tree']['folderOf']> {
  const folder = tree.folderOf(path, { make: true })
  tree.checkSpelling(lastName(path))
  if (lstatSync(folder.at(lastName(path)), { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new Refusal('there is a folder in its place')
  }
  return folder
}

interface Placed {
  at: string
  stat: BigIntStats
}

/** @returns undefined where it is not wanted any more */
function place(staged: Staged, { entry, path }: Omit<Placing, 'content'>, extracting: Extracting): Placed | undefined {
  const { options, tree } = extracting
  const want = foreignSync(() => options.stillWants?.(entry, path)) ?? { as: path }
  if (want === 'skip') return undefined
  const at = pathWanted(entry, want)
  if (parentPath(at) !== parentPath(path)) throw new Refusal('its other path is in another folder')
  if (at !== path) tree.checkSpelling(lastName(at))
  return { at, stat: staged.place(lastName(at)) }
}
