/** A multiple of this is the length of every header and of every content with its padding. */
export const blockLength = 512

/** What ends an archive: without it, it may have been cut. */
export const endOfArchive = Buffer.alloc(2 * blockLength)

export interface HeaderFields {
  type: 'file' | 'folder' | 'link'
  /** A folder's ends in '/'. */
  name: Buffer
  /** The bytes of content that follow: a file's. */
  size?: number
  mode: number
  /** Nanoseconds since the epoch; tar has whole seconds, rounded down. */
  mtime: bigint
  /** Of a link. */
  target?: Buffer
}

/**
 * The header of one entry, in GNU's format: https://www.gnu.org/software/tar/manual/html_node/Standard.html
 *
 * A name or a target that is too long for it goes ahead, as content of an entry of its own. Names are raw bytes. There
 * is no pax header: BusyBox takes but the path from these, and makes a link to `PaxHeader` of what has a long target.
 * User and group are 0 and have no names: who extracts is the owner.
 */
export function tarHeader(fields: HeaderFields): Buffer {
  const { name, target = none } = fields
  const header = mainHeader(fields, name, target)
  // Some readers want the final NUL even where a field has just the room.
  if (name.length < nameRoom && target.length < nameRoom) return header
  const long = [...longField('K', target), ...longField('L', name)]
  return Buffer.concat([...long, header])
}

/** How many zeros fill up the last block of a content. */
export function paddingOf(size: number): number {
  return (blockLength - (size % blockLength)) % blockLength
}

const none = Buffer.alloc(0)
const nameRoom = 100
const typeFlags = { file: '0', link: '2', folder: '5' }
const second = 1_000_000_000n

function mainHeader(fields: HeaderFields, name: Buffer, target: Buffer): Buffer {
  const { type, size = 0, mode, mtime } = fields
  return block(typeFlags[type], { name, size, mode, mtime: tarSeconds(mtime), target })
}

/** An entry whose content is the name, or the target, of the next. */
function longField(flag: 'K' | 'L', value: Buffer): Buffer[] {
  if (value.length < nameRoom) return []
  const size = value.length + 1
  const header = block(flag, { name: Buffer.from('././@LongLink'), size, mode: 0o644, mtime: 0n })
  return [header, value, Buffer.alloc(1 + paddingOf(size))]
}

interface BlockFields {
  name: Buffer
  size: number
  mode: number
  /** In seconds. */
  mtime: bigint
  target?: Buffer
}

function block(flag: string, { name, size, mode, mtime, target }: BlockFields): Buffer {
  // Zeroed by us it comes from Node's pool, which is what makes ten thousand of them cheap.
  const bytes = Buffer.allocUnsafe(blockLength).fill(0)
  name.copy(bytes, 0, 0, nameRoom)
  octal(bytes, 100, 8, mode)
  octal(bytes, 108, 8, 0)
  octal(bytes, 116, 8, 0)
  number(bytes, 124, BigInt(size))
  number(bytes, 136, mtime)
  bytes.write(flag, 156, 'latin1')
  target?.copy(bytes, 157, 0, nameRoom)
  bytes.write('ustar  \0', 257, 'latin1')
  // The sum is over the header with spaces in its own field.
  bytes.fill(' ', 148, 156)
  octal(bytes, 148, 7, sum(bytes))
  return bytes
}

function octal(bytes: Buffer, at: number, length: number, value: number): void {
  bytes.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  bytes[at + length - 1] = 0
}

const numberLength = 12
const mostOctal = 0o77777777777n

/** Octal, or where that cannot say it base-256: a mark and the two's complement, the highest byte first. */
function number(bytes: Buffer, at: number, value: bigint): void {
  if (value >= 0n && value <= mostOctal) {
    octal(bytes, at, numberLength, Number(value))
    return
  }
  bytes.fill(value < 0n ? 0xff : 0, at, at + numberLength)
  if (value >= 0n) bytes[at] = 0x80
  bytes.writeBigInt64BE(value, at + numberLength - 8)
}

/**
 * The seconds that a tar header has of a time in nanoseconds. BigInt's own division rounds towards zero: what is before
 * 1970 would be a second late.
 */
export function tarSeconds(nanoseconds: bigint): bigint {
  const seconds = nanoseconds / second
  return nanoseconds < 0n && seconds * second !== nanoseconds ? seconds - 1n : seconds
}

function sum(bytes: Buffer): number {
  let total = 0
  for (let at = 0; at < bytes.length; at += 1) total += bytes[at] ?? 0
  return total
}
