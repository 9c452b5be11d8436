import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import * as fc from 'fast-check'
import { contentOf } from '../../support/traps.ts'
import { bytesOf } from '../../support/trees.ts'

/** Something to put into a tree: where, and what. */
export interface Piece {
  /** Names of bytes, one character for each. */
  path: string[]
  kind: 'file' | 'folder' | 'link' | 'nothing'
  size: number
  mode: number
  /** Seconds. */
  mtime: number
}

const shortName = fc.constantFrom('a', 'b', 'c', 'd')
const anyName = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll(/[\0/]/g, '_'))
  .filter((name) => name !== '.' && name !== '..')

/** Names that often meet, so that one piece takes the place of another. */
export const pieces = fc.array(
  fc.record<Piece>({
    path: fc.array(fc.oneof({ weight: 3, arbitrary: shortName }, anyName), { minLength: 1, maxLength: 4 }),
    kind: fc.constantFrom('file', 'file', 'folder', 'link', 'nothing'),
    size: fc.oneof(fc.nat(2000), fc.nat(300_000)),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o400, 0o777),
    mtime: fc.integer({ min: 0, max: 2_208_988_800 }),
  }),
  { minLength: 1, maxLength: 40 },
)

/** Puts the pieces into a tree, in their order; each takes the place of what is in its way. */
export function put(root: string, all: readonly Piece[]): void {
  for (const { path, kind, size, mode, mtime } of all) {
    const at = (depth: number): Buffer =>
      bytesOf(`${bytesOf(root).toString('latin1')}/${path.slice(0, depth).join('/')}`)
    for (let depth = 1; depth < path.length; depth++) makeFolder(at(depth))
    const place = at(path.length)
    if (kind === 'folder') makeFolder(place)
    else remove(place)
    if (kind === 'link') symlinkSync(bytesOf('t\xff'.repeat((size % 90) + 1)), place)
    if (kind === 'file') writeFileSync(place, contentOf(path.join('/'), size))
    if (kind !== 'file' && kind !== 'folder') continue
    chmodSync(place, kind === 'folder' ? mode | 0o700 : mode)
    utimesSync(place, mtime, mtime)
  }
}

function makeFolder(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  remove(path)
  mkdirSync(path)
}

/** By hand: rmSync knows no names that are not UTF-8. */
function remove(path: Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isDirectory()) return unlinkSync(path)
  for (const name of readdirSync(path, { encoding: 'buffer' })) remove(Buffer.concat([path, Buffer.from('/'), name]))
  rmSync(path, { recursive: true })
}
