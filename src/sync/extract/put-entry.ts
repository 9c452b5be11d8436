import { type FileEntry, fileEntry, type LinkEntry } from '../entry.ts'
import { lastName } from '../path.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { Extracting } from './extracting.ts'
import { foreignPieces } from './foreign.ts'
import type { OpenFolder } from './open-folder.ts'
import { openOriginal, readOriginal } from './original.ts'
import { putFolder } from './put-folder.ts'
import { type MayPlace, Staged } from './staged.ts'

/** An entry that was checked, and the path that it is to have here. */
export interface Placing {
  entry: TarEntry
  content: AsyncIterable<Buffer>
  path: string
  mayPlace: MayPlace
}

/**
 * Makes a folder; stages a file or a link, which is to be placed later.
 * @throws {Refusal} it cannot be put as the tree is
 * @throws an error of node:fs
 */
export async function putEntry(placing: Placing, extracting: Extracting): Promise<void> {
  const { type, path } = placing.entry
  if (type === 'folder') putFolder(placing, extracting)
  else if (type === 'link') stageLink(placing, extracting)
  else if (type !== 'hard link') await stageFile(placing, extracting)
  // What it is a copy of has no place yet.
  else extracting.staged.push({ path, place: () => putCopy(placing, extracting), [Symbol.dispose]: () => {} })
}

async function stageFile({ entry, content, path, mayPlace }: Placing, extracting: Extracting): Promise<void> {
  const staged = Staged.file(folderFor(path, extracting), extracting)
  try {
    for await (const piece of foreignPieces(content)) await staged.write(piece)
    staged.setFile({ mode: entry.mode & permissions, mtime: entry.mtime })
  } catch (error) {
    staged[Symbol.dispose]()
    throw error
  }
  extracting.staged.push({
    path: entry.path,
    place: () => {
      const stat = staged.place(lastName(path), mayPlace)
      if (stat === undefined) return
      putDone(entry.path, fileEntry(path, stat), extracting)
      if ((entry.mode & strange) !== 0) extracting.refuse(entry.path, 'it is here without its setuid and setgid bits')
    },
    [Symbol.dispose]: () => staged[Symbol.dispose](),
  })
}

/** As in entries: the sticky bit too. */
const permissions = 0o1777
const strange = 0o6000

/** What was put under another name is found by that one. */
async function putCopy({ entry, path, mayPlace }: Placing, extracting: Extracting): Promise<void> {
  using original = openOriginal(entry.target, extracting)
  const { mode, mtime, size } = original.entry
  // Many names of one large file are a bomb too.
  extracting.count.add('bytes', size)
  using staged = Staged.file(folderFor(path, extracting), extracting)
  for (const piece of readOriginal(original)) await staged.write(piece)
  staged.setFile({ mode, mtime })
  const stat = staged.place(lastName(path), mayPlace)
  if (stat !== undefined) putDone(entry.path, fileEntry(path, stat), extracting)
}

function putDone(path: string, entry: FileEntry, { options, files }: Extracting): void {
  files.set(path, entry)
  options.report.put.push({ path, entry })
}

function stageLink({ entry, path, mayPlace }: Placing, extracting: Extracting): void {
  const { target, mtime } = entry
  const staged = Staged.link(folderFor(path, extracting), { ...extracting, target, mtime })
  extracting.staged.push({
    path: entry.path,
    place: () => {
      const stat = staged.place(lastName(path), mayPlace)
      if (stat === undefined) return
      const done: LinkEntry = { type: 'link', path, target, mtime: stat.mtimeNs }
      extracting.options.report.put.push({ path: entry.path, entry: done })
    },
    [Symbol.dispose]: () => staged[Symbol.dispose](),
  })
}

/** The folder for something with this path, which it may have. */
function folderFor(path: string, { tree, unlocked }: Extracting): OpenFolder {
  const folder = tree.folderOf(path, { make: true, isForStaging: true })
  unlocked.unlock(folder)
  tree.checkSpelling(lastName(path))
  return folder
}
