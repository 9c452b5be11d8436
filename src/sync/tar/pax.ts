import { ArchiveError, damaged } from './archive-error.ts'
import { boundTime, sizeOf } from './tar-number.ts'

/** The records of an extended header that say something to us. A value is raw bytes; an empty one unsays another. */
export type PaxRecords = ReadonlyMap<string, Buffer>

/**
 * Reads the content of an extended header: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 * @throws {ArchiveError} it breaks the format, or is about a sparse file
 */
export function parsePax(content: Buffer): PaxRecords {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < content.length; ) {
    const record = recordAt(content, at)
    at += record.length
    const equals = record.indexOf('=')
    if (equals < 0) throw damaged('an extended header in it has a record without "="')
    const key = record.toString('latin1', record.indexOf(' ') + 1, equals)
    if (key.startsWith('GNU.sparse.')) throw new ArchiveError('unsupported', 'it has a sparse file')
    // A copy: the content is valid only until something else is read.
    if (known.has(key)) records.set(key, Buffer.from(record.subarray(equals + 1, -1)))
  }
  return records
}

const known = new Set(['path', 'linkpath', 'size', 'mtime'])

/** `21 path=some/file name\n`: the number counts all of it. */
function recordAt(content: Buffer, at: number): Buffer {
  const [head, digits] = /^([1-9]\d{0,8}) /.exec(content.toString('latin1', at, at + 10)) ?? []
  const length = Number(digits)
  const record = content.subarray(at, at + length)
  if (head === undefined || length <= head.length || record.length < length || record.at(-1) !== newline) {
    throw damaged('an extended header in it has a record of another length than it says')
  }
  return record
}

const newline = 0x0a

/** @throws {ArchiveError} it is no number, or one that no size is */
export function paxSize(value: Buffer): number {
  const digits = value.toString('latin1')
  if (!/^\d{1,20}$/.test(digits)) throw damaged('a size in an extended header is no number')
  return sizeOf(BigInt(digits))
}

/**
 * Seconds, with a fraction, in nanoseconds; of a longer fraction the rest is left out.
 * @throws {ArchiveError} it is no number
 */
export function paxTime(value: Buffer): bigint {
  const [, sign, seconds, fraction = ''] = /^(-?)(\d{1,30})(?:\.(\d*))?$/.exec(value.toString('latin1')) ?? []
  if (seconds === undefined) throw damaged('a time in an extended header is no number')
  const nanoseconds = BigInt(seconds + fraction.slice(0, 9).padEnd(9, '0'))
  return boundTime(sign === '-' ? -nanoseconds : nanoseconds)
}
