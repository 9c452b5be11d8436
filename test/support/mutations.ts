import type { Random } from './random.ts'
import { withChecksum } from './tar-parts.ts'

const block = 512

/** Makes another archive of one: some changes, each of which may leave it a right one. */
export function mutate(archive: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(archive)
  for (let left = 1 + random.below(4); left > 0; left -= 1) bytes = random.one(mutations)(bytes, random)
  return bytes
}

type Mutation = (bytes: Buffer, random: Random) => Buffer

const flip: Mutation = (bytes, random) => {
  for (let left = 1 + random.below(8); left > 0 && bytes.length > 0; left -= 1) {
    bytes[random.below(bytes.length)] = random.below(256)
  }
  return bytes
}

const remove: Mutation = (bytes, random) => {
  const at = blockIn(bytes, random)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + block * (1 + random.below(3)))])
}

const duplicate: Mutation = (bytes, random) => {
  const from = blockIn(bytes, random)
  return insert(bytes, blockIn(bytes, random), bytes.subarray(from, from + block * (1 + random.below(3))))
}

const insertNoise: Mutation = (bytes, random) => {
  const noise = Buffer.from(Array.from({ length: block }, () => random.below(256)))
  return insert(bytes, blockIn(bytes, random), random.one([noise, Buffer.alloc(block)]))
}

const cut: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1))

/** A header with one of its fields another, and right otherwise. */
const header: Mutation = (bytes, random) => {
  const headers = Array.from({ length: Math.floor(bytes.length / block) }, (_, n) => n * block).filter(
    (at) => bytes.toString('latin1', at + 257, at + 262) === 'ustar',
  )
  if (headers.length === 0) return bytes
  const at = random.one(headers)
  const [offset, length, values] = random.one(fields)
  const field = bytes.subarray(at + offset, at + offset + length)
  if (random.below(4) === 0 && length > 0) field[random.below(length)] = random.below(256)
  else field.fill(0).write(random.one(values), 'latin1')
  withChecksum(bytes.subarray(at, at + block))
  return bytes
}

const paths = ['../outside/secret', 'l/secret', 'l', 'dir', 'dir/x', '', '.', '..', '/tmp/x', 'a', 'kept', '.git', 'a/']
const fields: readonly [offset: number, length: number, values: readonly string[]][] = [
  [0, 100, paths],
  [100, 8, ['0000000', '0007777', '\xff\xff', '']],
  [124, 12, ['00000000000', '00000001000', '77777777777', '\x80\0\0\0\0\0\0\0\0\0\0\x07', '\xff', '']],
  [136, 12, ['00000000000', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', '\x80\x7f', '']],
  [156, 1, ['0', '1', '2', '3', '5', '6', 'x', 'g', 'L', 'K', 'S', '']],
  [157, 100, paths],
  [257, 8, ['ustar\x0000', 'ustar  \0', '']],
  [345, 155, ['..', 'l', '/tmp', '']],
]

const mutations: readonly Mutation[] = [flip, remove, duplicate, insertNoise, cut, header, header, header, header]

function insert(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
}

function blockIn(bytes: Buffer, random: Random): number {
  return block * random.below(Math.floor(bytes.length / block) + 1)
}
