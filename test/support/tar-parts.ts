import { bytesOf } from './trees.ts'

/** Parts of tar archives, right ones and wrong ones. In names a character is a byte. */

export interface Header {
  name?: string
  /** A character: `0` a file, `1` a hard link, `2` a link, `5` a folder. */
  flag?: string
  mode?: string
  size?: number | string | Buffer
  /** In seconds. */
  mtime?: number | string | Buffer
  target?: string
  /** Of ustar. */
  prefix?: string
  /** `ustar\0` + `00`, GNU's where it is not given, or nothing as in v7. */
  magic?: string
  checksum?: string
}

export const gnu = 'ustar  \0'
export const ustar = 'ustar\x0000'
/** What ends an archive. */
export const end = Buffer.alloc(1024)

export function header(fields: Header = {}): Buffer {
  const { name = 'file', flag = '0', mode = '0000644', target = '', prefix = '', magic = gnu } = fields
  const block = Buffer.alloc(512)
  block.write(name, 0, 100, 'latin1')
  block.write(mode, 100, 'latin1')
  block.write('0000000', 108, 'latin1')
  block.write('0000000', 116, 'latin1')
  number(fields.size ?? 0).copy(block, 124)
  number(fields.mtime ?? 1_000_000_000).copy(block, 136)
  block.write(flag, 156, 'latin1')
  block.write(target, 157, 100, 'latin1')
  block.write(magic, 257, 'latin1')
  block.write(prefix, 345, 155, 'latin1')
  return withChecksum(block, fields.checksum)
}

/** Sets the checksum of a header that was changed. */
export function withChecksum(block: Buffer, checksum?: string): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  block.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function number(value: number | string | Buffer): Buffer {
  if (Buffer.isBuffer(value)) return value
  return bytesOf(typeof value === 'string' ? value : value.toString(8).padStart(11, '0'))
}

/** A number of 12 bytes in base-256. */
export function binary(value: bigint): Buffer {
  const bytes = Buffer.from((value & ((1n << 96n) - 1n)).toString(16).padStart(24, '0'), 'hex')
  bytes[0] = (bytes[0] ?? 0) | 0x80
  return bytes
}

/** A file with its content. */
export function file(name: string, content: string | Buffer = 'content', fields: Header = {}): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : bytesOf(content)
  return Buffer.concat([header({ name, size: bytes.length, ...fields }), padded(bytes)])
}

export function folder(name: string, fields: Header = {}): Buffer {
  return header({ name, flag: '5', mode: '0000755', ...fields })
}

export function link(name: string, target: string, fields: Header = {}): Buffer {
  return header({ name, flag: '2', target, mode: '0000777', ...fields })
}

export function hardLink(name: string, target: string, fields: Header = {}): Buffer {
  return header({ name, flag: '1', target, ...fields })
}

/** GNU's header of a long name, `L`, or target, `K`. */
export function long(flag: 'L' | 'K', value: string): Buffer {
  return file('././@LongLink', `${value}\0`, { flag })
}

/** An extended header of the records, `x` for one entry, `g` for all that follow. */
export function pax(records: Record<string, string>, flag: 'x' | 'g' = 'x'): Buffer {
  return paxText(
    Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
    flag,
  )
}

export function paxText(text: string, flag: 'x' | 'g' = 'x'): Buffer {
  return file('PaxHeaders/file', text, { flag, magic: ustar })
}

/** One record, with the length that it has: its own digits count. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return `${length}${rest}`
}

export function archive(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, end])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

/** Bytes as a stream has them, in pieces of a length. */
export async function* inPieces(bytes: Buffer, length = 65_536): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}
