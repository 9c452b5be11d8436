import { KuberunError } from '../errors.ts'
import { Disk } from './disk.ts'
import type { ExtractOptions } from './extract-options.ts'
import { type Extracting, startExtracting } from './extracting.ts'
import { Foreign, foreign } from './foreign.ts'
import { pathFault } from './path-fault.ts'
import { putEntry } from './put-entry.ts'
import { finishFolders } from './put-folder.ts'
import { endOf, Refusal, reasonOf } from './refusal.ts'
import type { TarEntry } from './tar-entry.ts'
import { TarCount } from './tar-limits.ts'
import { type ReadEntry, readTar } from './tar-reader.ts'
import { visible } from './visible.ts'
import { pathWanted } from './wanted-path.ts'

/**
 * Extracts what a pod sent into a local root. The archive is untrusted: whatever it holds, nothing is written outside
 * the root, or through a link, or over a folder, or into a `.git`; nothing is removed. An entry that asks for it is
 * refused and reported, the others are extracted.
 *
 * A file or a link is made beside its place and renamed into it, so that whoever looks sees the old one or the new one,
 * whole. Folders that are missing are made; modes and times of folders come last. Links are as the archive has them,
 * wherever they lead: nobody follows them here. A hard link becomes a copy. Setuid and setgid do not come along.
 *
 * Ended early, or by an error, it removes what it staged, and what it put stays; `report` tells.
 *
 * @throws {ArchiveError} the archive is damaged, too large, or does not have its end
 * @throws {KuberunError} `sync`: nothing more can be written here, such as on a full disk
 * @throws the signal's reason when it aborts, and what the archive or `wants` throws
 */
export async function extract(archive: AsyncIterable<Buffer>, options: ExtractOptions): Promise<void> {
  const { signal, limits } = options
  const count = new TarCount(limits)
  const disk = new Disk({ signal })
  using extracting = startExtracting(options, count)
  try {
    for await (const { entry, content } of readTar(archive, { count, signal })) {
      await disk.turn()
      const path = pathBelow(entry.path, options.prefix)
      const work =
        path === undefined
          ? () => refuse(`its path does not begin with "${options.prefix}"`)
          : () => extractOne({ entry: { ...entry, path }, content }, extracting)
      await reportFailure(extracting, path ?? entry.path, work)
    }
  } finally {
    // Also of an archive that was cut: some folders were opened to be written in.
    for (const finish of finishFolders(extracting)) await reportFailure(extracting, finish.path, finish.run)
  }
}

/** @returns undefined where it does not begin with the prefix */
function pathBelow(path: string, prefix = ''): string | undefined {
  if (path.startsWith(prefix)) return path.slice(prefix.length)
  return `${path}/` === prefix ? '' : undefined
}

async function extractOne({ entry, content }: ReadEntry, extracting: Extracting): Promise<void> {
  const fault = pathFault(entry.path) ?? typeFault(entry) ?? targetFault(entry) ?? repeated(entry, extracting)
  if (fault !== undefined) refuse(fault)
  const want = await foreign(async () => extracting.options.wants(entry))
  if (want !== 'skip') await putEntry({ entry, content, path: pathWanted(entry, want) }, extracting)
}

function typeFault({ type }: TarEntry): string | undefined {
  const known = type === 'file' || type === 'folder' || type === 'link' || type === 'hard link'
  return known ? undefined : `it is a ${type}`
}

function targetFault({ type, target }: TarEntry): string | undefined {
  if (type !== 'link') return undefined
  if (target === '') return 'it is a link to nothing'
  return target.includes('\0') ? 'its target has a NUL in it' : undefined
}

/** Folders may: they come before what is in them, and after. */
function repeated({ type, path }: TarEntry, { seen }: Extracting): string | undefined {
  if (type === 'folder') return undefined
  if (seen.has(path)) return 'the archive has it twice'
  seen.add(path)
  return undefined
}

function refuse(reason: string): never {
  throw new Refusal(reason)
}

/** A failure that is about one entry is reported; others end the extraction. */
async function reportFailure(extracting: Extracting, path: string, work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Foreign) throw error.cause
    const end = endOf(error)
    if (end !== undefined) throw new KuberunError('sync', `cannot write "${visible(path)}": ${end}`, { cause: error })
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    extracting.refuse(path, reason)
  }
}
