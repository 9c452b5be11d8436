import { decodeName } from '../path.ts'
import { ArchiveError, damaged } from './archive-error.ts'
import type { HeaderBlock } from './header-block.ts'
import { type PaxRecords, paxSize, paxTime } from './pax.ts'
import { boundTime } from './tar-number.ts'

/** One entry of an archive, as the archive has it: nothing in it was checked. */
export interface TarEntry {
  type: TarType
  /** In the encoding of paths; without the slash at the end of a folder's. */
  path: string
  /** All twelve bits. */
  mode: number
  /** Nanoseconds since the epoch. */
  mtime: bigint
  /** The bytes of its content: a file's. */
  size: number
  /** Of a link, or of a hard link, as the archive has it. */
  target: string
}

export type TarType = 'file' | 'folder' | 'link' | 'hard link' | 'character device' | 'block device' | 'FIFO'

/** What goes before a header, and says more. */
export interface Extensions {
  /** GNU's. */
  longName?: Buffer
  longTarget?: Buffer
  /** Of this entry. */
  pax?: PaxRecords
  /** Of all that follow. */
  global: PaxRecords
}

/**
 * Puts an entry together.
 * @throws {ArchiveError} its parts are at odds, or we do not know its type
 */
export function tarEntry(header: HeaderBlock, extensions: Extensions): TarEntry {
  const name = pax('path', extensions) ?? extensions.longName ?? header.name
  const type = typeOf(header.flag, name)
  const size = sizeOf(header, pax('size', extensions))
  // GNU's tar and BusyBox's give none a content. Who skips it and who does not would read another archive.
  if (type !== 'file' && size > 0) throw damaged('an entry in it that is no file has a content')
  const time = pax('mtime', extensions)
  return {
    type,
    path: decodeName(type === 'folder' && name.at(-1) === slash ? name.subarray(0, -1) : name),
    mode: header.mode,
    mtime: time === undefined ? boundTime(header.mtime * second) : paxTime(time),
    size,
    target: decodeName(pax('linkpath', extensions) ?? extensions.longTarget ?? header.target),
  }
}

const slash = 0x2f
const second = 1_000_000_000n

/** An empty value says that the header's holds. */
function pax(key: string, extensions: Extensions): Buffer | undefined {
  const value = extensions.pax?.get(key) ?? extensions.global.get(key)
  return value?.length === 0 ? undefined : value
}

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hard link',
  '2': 'link',
  '3': 'character device',
  '4': 'block device',
  '5': 'folder',
  '6': 'FIFO',
  '7': 'file',
}

function typeOf(flag: string, name: Buffer): TarType {
  if (flag === 'S') throw new ArchiveError('unsupported', 'it has a sparse file')
  const type = types[flag]
  if (type === undefined) throw new ArchiveError('unsupported', `it has an entry of the type ${JSON.stringify(flag)}`)
  // The oldest tars had no type for them.
  return type === 'file' && name.at(-1) === slash ? 'folder' : type
}

/** The header has room for a size, or it says 0. Another one is there to make two readers read two archives. */
function sizeOf(header: HeaderBlock, value: Buffer | undefined): number {
  if (value === undefined) return header.size
  const size = paxSize(value)
  if (header.size !== 0 && header.size !== size) throw damaged('an entry in it has two sizes')
  return size
}
