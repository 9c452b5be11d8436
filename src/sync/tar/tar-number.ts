import { damaged } from './archive-error.ts'

/**
 * The number in a field of a tar header: octal digits, or base-256 where the first bit is set. A field with nothing in
 * it is 0, as old tars have it.
 * @throws {ArchiveError} it is neither
 */
export function parseNumber(field: Buffer): bigint {
  if (((field[0] ?? 0) & 0x80) !== 0) return parseBinary(field)
  const [, digits] = /^ *([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? []
  if (digits === undefined) throw damaged('a number in it is none')
  return BigInt(`0o${digits === '' ? '0' : digits}`)
}

/** Two's complement, the highest byte first, in what the mark leaves. */
function parseBinary(field: Buffer): bigint {
  const bits = BigInt(8 * field.length - 1)
  const value = BigInt(`0x${field.toString('hex')}`) & ((1n << bits) - 1n)
  return value >> (bits - 1n) === 1n ? value - (1n << bits) : value
}

/**
 * A size.
 * @throws {ArchiveError} it is negative, or larger than any file
 */
export function sizeOf(value: bigint): number {
  if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw damaged(`an entry in it has ${value} bytes`)
  return Number(value)
}

/** A time that is farther off than any file system knows becomes one that is far off. */
export function boundTime(nanoseconds: bigint): bigint {
  if (nanoseconds > farOff) return farOff
  return nanoseconds < -farOff ? -farOff : nanoseconds
}

/** The year 33658, which `utimes` can say. */
const farOff = 1_000_000_000_000n * 1_000_000_000n
