import { isUtf8 } from 'node:buffer'

/*
 * A path in a tree: relative to its root, parts joined by '/', no './' before it; '' is the root itself.
 *
 * Names are bytes to a file system and to tar, and need not be UTF-8. A byte that is no part of UTF-8 stands in the
 * string as a lone surrogate, U+DC80 to U+DCFF, as Python's surrogateescape has it: so paths compare and serve as keys
 * like any string, and give the same bytes back.
 */

/** Linux's PATH_MAX: no program can name what has a longer one. */
export const longestPath = 4096

/** The string of a name, or of a path, as the file system has it. */
export function decodeName(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return !text.includes('\ufffd') || isUtf8(bytes) ? text : escapeBytes(bytes)
}

/** The bytes of a path: what {@link decodeName} was given. */
export function encodePath(path: string): Buffer {
  return path.isWellFormed() ? Buffer.from(path) : Buffer.concat(Array.from(path, encodeCharacter))
}

/** Where a path of the tree is on this machine, for node:fs: a Buffer only where a string cannot say it. */
export function localPath(root: string, path: string): string | Buffer {
  const whole = path === '' ? root : root.endsWith('/') ? root + path : `${root}/${path}`
  return whole.isWellFormed() ? whole : encodePath(whole)
}

/** The path of something in a folder. */
export function childPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

const surrogates = 0xdc00

function escapeBytes(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0
    const character = bytes.subarray(at, at + sequenceLength(first))
    if (isUtf8(character)) {
      text += character.toString('utf8')
      at += character.length
    } else {
      text += String.fromCharCode(surrogates + first)
      at += 1
    }
  }
  return text
}

/** How many bytes a UTF-8 character has that begins with this one. */
function sequenceLength(first: number): number {
  if (first < 0xc0) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}

function encodeCharacter(character: string): Buffer {
  const code = character.codePointAt(0) ?? 0
  return code >= surrogates + 0x80 && code <= surrogates + 0xff ? Buffer.of(code - surrogates) : Buffer.from(character)
}

/** The last name in a path. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The path of the folder that something is in: '' for what is right in the root. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** Whether a path is one of these, or below one of them. */
export function isWithin(path: string, paths: ReadonlySet<string>): boolean {
  if (paths.size === 0) return false
  for (let at = path; at !== ''; at = parentPath(at)) if (paths.has(at)) return true
  return false
}
