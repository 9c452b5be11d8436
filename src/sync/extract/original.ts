import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { FileEntry } from '../entry.ts'
import { lastName } from '../path.ts'
import { visible } from '../visible.ts'
import type { Extracting } from './extracting.ts'
import { Refusal } from './refusal.ts'

/** The file that a hard link of an archive is a copy of, open. */
export interface Original extends Disposable {
  fd: number
  entry: FileEntry
}

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Opens the file that a hard link names, which must be one that the same archive brought, and as it brought it: any other
 * is none of the pod's business.
 *
 * @param target as the archive has it
 * @throws {Refusal} there is none
 */
export function openOriginal(target: string, { files, sources }: Extracting): Original {
  const entry = files.get(target)
  if (entry === undefined) {
    throw new Refusal(`it is a hard link to "${visible(target)}", which is no file that was extracted before it`)
  }
  const folder = sources.folderOf(entry.path, { make: false })
  const fd = openSync(folder.at(lastName(entry.path)), flags)
  const original = { fd, entry, [Symbol.dispose]: () => closeSync(fd) }
  const { ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true })
  if (ino === entry.ino && Number(size) === entry.size && mtimeNs === entry.mtime && ctimeNs === entry.ctime) {
    return original
  }
  closeSync(fd)
  throw new Refusal(`it is a hard link to "${visible(target)}", which has changed here`)
}

/** Its content, in pieces of which each is valid until the next is asked for. */
export function* readOriginal({ fd, entry }: Original): Generator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafe(64 * 1024)
  for (let left = entry.size; left > 0; ) {
    const length = readSync(fd, buffer, 0, Math.min(left, buffer.length), null)
    if (length === 0) throw new Refusal('the file that it is a hard link to has changed here')
    left -= length
    yield buffer.subarray(0, length)
  }
}
