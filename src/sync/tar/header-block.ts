import { damaged } from './archive-error.ts'
import { blockLength } from './tar-header.ts'
import { parseNumber, sizeOf } from './tar-number.ts'

/** What the block of a header says by itself. */
export interface HeaderBlock {
  /** The type, a character. */
  flag: string
  name: Buffer
  size: number
  mode: number
  /** In seconds. */
  mtime: bigint
  target: Buffer
}

const zeros = Buffer.alloc(blockLength)

/** Whether a block is one of those that end an archive. */
export function isZero(block: Buffer): boolean {
  return block.length === blockLength ? zeros.equals(block) : zeros.subarray(0, block.length).equals(block)
}

/**
 * Reads a header, of ustar, of GNU or of the time before them. User and group are nobody's here.
 * @throws {ArchiveError} it is none
 */
export function parseHeader(block: Buffer): HeaderBlock {
  if (parseNumber(block.subarray(148, 156)) !== BigInt(sum(block))) {
    throw damaged('a header in it has another checksum than it says')
  }
  return {
    flag: block.toString('latin1', 156, 157),
    name: nameOf(block),
    size: sizeOf(parseNumber(block.subarray(124, 136))),
    mode: Number(parseNumber(block.subarray(100, 108)) & 0o7777n),
    mtime: parseNumber(block.subarray(136, 148)),
    target: text(block.subarray(157, 257)),
  }
}

/** Only ustar has the beginning of a long name in the header; GNU has times at its place. */
function nameOf(block: Buffer): Buffer {
  const name = text(block.subarray(0, 100))
  const prefix = text(block.subarray(345, 500))
  if (block.toString('latin1', 257, 263) !== 'ustar\0' || prefix.length === 0) return name
  return Buffer.concat([prefix, slash, name])
}

const slash = Buffer.from('/')

/** A copy of the bytes before the first NUL. */
function text(field: Buffer): Buffer {
  const end = field.indexOf(0)
  return Buffer.from(end < 0 ? field : field.subarray(0, end))
}

/** The sum is over the header with spaces in its own field. */
function sum(block: Buffer): number {
  let total = 8 * 0x20
  for (let at = 0; at < blockLength; at += 1) if (at < 148 || at >= 156) total += block[at] ?? 0
  return total
}
