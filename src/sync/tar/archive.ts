import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Entry, FolderEntry } from '../entry.ts'
import { Disk } from '../local/disk.ts'
import type { ArchiveReport } from './archive-report.ts'
import { Blocks } from './blocks.ts'
import { Content } from './content.ts'
import { entryHeader } from './entry-header.ts'
import { codeOf, type Loaded, loadInOrder, smallSize } from './load.ts'
import type { SourceFile } from './source-file.ts'
import { blockLength, endOfArchive, paddingOf } from './tar-header.ts'

export interface ArchiveOptions {
  root: string
  /** Of a snapshot. The root itself is left out: to set its mode is not ours. */
  entries: Iterable<Entry>
  /** Filled while the archive is made, and complete with its last Buffer. */
  report: ArchiveReport
  /** Before each name, such as `stage/`. */
  prefix?: string
  /** From how many milliseconds a call on, on average, the file system counts as slow; see {@link Disk}. */
  slowAfter?: number
  signal?: AbortSignal
}

/**
 * Makes a tar archive, in Buffers of 256 KiB, each valid until the next is asked for, that GNU tar and BusyBox extract alike, with `umask 0; tar -x -p -o -f -`.
 *
 * Folders come first, and as ones that their owner may write to: a BusyBox that is not root sets a folder's mode only
 * as it makes it. Then files and links, in the order of the entries; then the folders once more, what is in them before
 * they themselves, so that nothing touches one after its mode and mtime are set. Without `umask 0` a tar that is not root
 * takes bits from the modes, BusyBox in spite of `-p`.
 *
 * A file that changes, shrinks, grows or vanishes meanwhile never breaks the archive: see {@link ArchiveReport}. Hard
 * links are files of their own, sparse files are full ones.
 *
 * Memory: a few Buffers. Ended early, it leaves no descriptor open.
 * @throws the signal's reason when it aborts
 */
export async function* pack(options: ArchiveOptions): AsyncGenerator<Buffer, void, undefined> {
  const packing = { options, report: options.report, disk: new Disk(options), blocks: new Blocks() }
  const { folders, others } = inOrder(options.entries)
  for (const folder of folders.toReversed()) {
    packing.blocks.put(entryHeader({ ...folder, mode: folder.mode | 0o700 }, options.prefix))
    if (packing.blocks.isFull) yield* full(packing)
  }
  for await (const loaded of loadInOrder(others, { root: options.root, disk: packing.disk })) {
    if (loaded.is === 'open') yield* putLarge(packing, loaded.file)
    else put(packing, loaded)
    if (packing.blocks.isFull) yield* full(packing)
  }
  for (const folder of folders) {
    putHeader(packing, folder)
    if (packing.blocks.isFull) yield* full(packing)
  }
  packing.blocks.put(endOfArchive)
  packing.blocks.end()
  yield* full(packing)
}

interface Packing {
  options: ArchiveOptions
  report: ArchiveReport
  disk: Disk
  blocks: Blocks
}

/** The folders go what is in them before they themselves: by path, backwards. */
function inOrder(entries: Iterable<Entry>): { folders: FolderEntry[]; others: Entry[] } {
  const all = [...entries].filter(({ path }) => path !== '' && path !== '.')
  const folders = all.filter((entry) => entry.type === 'folder')
  return {
    folders: folders.toSorted((one, other) => (one.path < other.path ? 1 : -1)),
    others: all.filter(({ type }) => type !== 'folder'),
  }
}

/** The full Buffers, each after a turn of the event loop. */
async function* full({ blocks, report, options }: Packing): AsyncGenerator<Buffer, void, undefined> {
  for (const block of blocks.take()) {
    await nextTurn()
    options.signal?.throwIfAborted()
    report.bytes += block.length
    yield block
    blocks.giveBack(block)
  }
}

function put(packing: Packing, loaded: Exclude<Loaded, { is: 'open' }>): void {
  const { report, blocks } = packing
  if (loaded.is === 'vanished') report.vanished.push(loaded.path)
  else if (loaded.is === 'unreadable') report.unreadable.push({ path: loaded.path, code: loaded.code, isBroken: false })
  else {
    const { entry, data, changed } = loaded
    putHeader(packing, entry)
    blocks.put(data)
    // What a file lost meanwhile is zeros: the header had said its size.
    if (entry.type === 'file') blocks.put(zeros.subarray(0, entry.size - data.length + paddingOf(entry.size)))
    if (changed) report.changed.push(entry.path)
  }
}

const zeros = Buffer.alloc(smallSize + blockLength)

function putHeader({ options, blocks, report }: Packing, entry: Entry): void {
  blocks.put(entryHeader(entry, options.prefix))
  report.sent.set(entry.path, entry)
}

/** A file whose content goes right from the disk into the Buffers. */
async function* putLarge(packing: Packing, file: SourceFile): AsyncGenerator<Buffer, void, undefined> {
  using source = file
  const { blocks, report } = packing
  const { entry } = source
  blocks.put(entryHeader(entry, packing.options.prefix))
  const content = new Content(source, blocks)
  try {
    while (await content.more()) if (blocks.isFull) yield* full(packing)
    if (await source.changed(content.length)) report.changed.push(entry.path)
    report.sent.set(entry.path, entry)
  } catch (error) {
    report.unreadable.push({ path: entry.path, code: codeOf(error), isBroken: true })
  } finally {
    await content.settled()
  }
  for (let left = entry.size - content.length + paddingOf(entry.size); left > 0; ) {
    left -= blocks.zeros(left)
    if (blocks.isFull) yield* full(packing)
  }
}
