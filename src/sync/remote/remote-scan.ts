import { KuberunError } from '../../errors.ts'
import type { Entry } from '../entry.ts'
import { decodeName, longestPath, parentPath } from '../path.ts'

/** The code of a scan that has nothing new to tell. */
export const nothingNew = 3

/**
 * Lists on stdout, by `scan TOKEN PATTERN…`, the folder that it is in with all below it, but for what is in folders that a
 * pattern is for, and by `look TOKEN PATH…` these paths, of which those that are not there are missing in it, and complained
 * of. `news DIGEST TOKEN PATTERN…` is a scan that writes nothing, and ends with {@link nothingNew}, where it has this
 * SHA-256, its code on a line behind it; it keeps the listing beside the folder. GNU find tells everything itself; where it is
 * BusyBox's, its stat does. That has no way to end a name that no name could have in it: a token that nobody can guess
 * parts them, and the target of a link is told from its name by its length.
 *
 * `scan` fails where something could not be listed: what is not in the listing may be there all the same.
 */
export const scanFunctions = `
isgnu() { find . -maxdepth 0 -printf '' 2>/dev/null; }
format='%y %m %s %i %T@ %C@ %p\\0%l\\0'
scan() {
  t=$1
  shift
  for p; do
    set -- "$@" -path "$p" -prune -o
    shift
  done
  if isgnu; then find . -ignore_readdir_race -mindepth 1 '(' "$@" ! -name '' ')' -printf "$format"
  else find . -mindepth 1 '(' "$@" ! -name '' ')' -exec stat -c "$t %f %s %i %Y %y %Z %z %n$t%N" {} +
  fi
}
news() {
  d=$1
  shift
  scan "$@" >../listing
  c=$?
  [ "$({ cat ../listing; echo $c; } | sha256sum)" = "$d  -" ] && return ${nothingNew}
  dd if=../listing bs=65536 2>/dev/null
  return $c
}
look() {
  t=$1
  shift
  if isgnu; then find "$@" -maxdepth 0 -printf "$format"
  else stat -c "$t %f %s %i %Y %y %Z %z %n$t%N" "$@"
  fi
}`.trim()

/** As many a listing may have: they stay in memory. */
const most = 1_000_000
/** Why something that comes back can have no place. */
export const tooLong = 'its path is too long'

/** What a scan told. */
export interface Scan {
  /** By path; times are the pod's own. */
  entries: Map<string, Entry>
  /** What is there and can come nowhere, by path, and why: sockets, FIFOs, devices. */
  others: Map<string, string>
}

/**
 * Reads what `scan` printed. It comes from a pod, where anybody may print anything: what could not be a listing is refused.
 * @throws {KuberunError} `sync`
 */
export function parseScan(output: Buffer, token: string): Scan {
  const listing: Scan = { entries: new Map(), others: new Map() }
  // As one character a byte: names need not be UTF-8.
  const text = output.toString('latin1')
  let count = 0
  for (const fields of text.startsWith(`${token} `) ? ofStat(text, token) : ofFind(text)) {
    count += 1
    if (count > most) throw new KuberunError('sync', `the folder in the pod has more than ${most} files`)
    add(listing, fields)
  }
  removeUnreachable(listing.entries)
  return listing
}

/**
 * What is below a link or a file: when a folder was replaced while it was listed, or in the listing of somebody who wants
 * to be written elsewhere.
 */
function removeUnreachable(entries: Map<string, Entry>): void {
  const known = new Map([['', true]])
  for (const path of entries.keys()) {
    const above: string[] = []
    for (let at = parentPath(path); !known.has(at); at = parentPath(at)) above.push(at)
    for (const at of above.toReversed()) {
      known.set(at, known.get(parentPath(at)) === true && (entries.get(at)?.type ?? 'folder') === 'folder')
    }
    if (known.get(parentPath(path)) !== true) entries.delete(path)
  }
}

interface Fields {
  type: string
  mode: number
  size: string
  ino: string
  mtime: bigint
  ctime: bigint
  path: string
  target: string
}

const findLine = /^(.) ([0-7]+) (\d+) (\d+) (-?\d+)\.(\d+) (-?\d+)\.(\d+) \.\/(.+)$/s

function* ofFind(text: string): Generator<Fields> {
  for (let at = 0; at < text.length; ) {
    const middle = text.indexOf('\0', at)
    const end = middle < 0 ? -1 : text.indexOf('\0', middle + 1)
    if (end < 0) throw nonsense('its end is missing')
    const [line, target] = [text.slice(at, middle), text.slice(middle + 1, end)]
    at = end + 1
    const [, type = '', mode = '', size = '', ino = '', ms = '', mn = '', cs = '', cn = '', path = ''] =
      findLine.exec(line) ?? []
    if (type === '') throw nonsense(line)
    yield { type, mode: Number.parseInt(mode, 8), size, ino, mtime: time(ms, mn), ctime: time(cs, cn), path, target }
  }
}

/** Seconds since the epoch, then the date, of which only the fraction of the second is of use. */
const statLine =
  /^([0-9a-f]+) (\d+) (\d+) (-?\d+) \S+ [\d:]+(?:\.(\d+))? \S+ (-?\d+) \S+ [\d:]+(?:\.(\d+))? \S+ \.\/(.+)$/s
const types: Readonly<Record<number, string>> = { 0o100000: 'f', 0o040000: 'd', 0o120000: 'l' }

function* ofStat(text: string, token: string): Generator<Fields> {
  if (!text.endsWith('\n')) throw nonsense('its end is missing')
  // Before each line there is a token, and one between the two names.
  for (let at = token.length, end = 0; end < text.length; at = end + token.length) {
    const middle = text.indexOf(token, at)
    if (middle < 0) throw nonsense('its end is missing')
    end = text.indexOf(token, middle + token.length)
    if (end < 0) end = text.length
    const [line, names] = [text.slice(at, middle), text.slice(middle + token.length, end)]
    const [, hex = '', size = '', ino = '', ms = '', mn = '', cs = '', cn = '', path = ''] =
      statLine.exec(line.slice(1)) ?? []
    if (hex === '') throw nonsense(line)
    const raw = Number.parseInt(hex, 16)
    const type = types[raw & 0o170000] ?? '?'
    const target = type === 'l' ? targetIn(names.slice(0, -1), `./${path}`, Number(size)) : ''
    yield { type, mode: raw, size, ino, mtime: time(ms, mn), ctime: time(cs, cn), path, target }
  }
}

function targetIn(names: string, name: string, length: number): string {
  for (const quote of ["'", '']) {
    const begin = `${quote}${name}${quote} -> ${quote}`
    const target = names.slice(begin.length, begin.length + length)
    if (names === begin + target + quote && target.length === length) return target
  }
  throw nonsense(names)
}

function time(seconds: string, fraction = ''): bigint {
  // Of what is before 1970 the fraction counts from the second below, too.
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

function add({ entries, others }: Scan, fields: Fields): void {
  const { type, mtime, ctime, target } = fields
  if (fields.path.length > longestPath) {
    others.set(checked(fields.path), tooLong)
    return
  }
  const path = checked(fields.path)
  const mode = fields.mode & 0o1777
  const size = Number(fields.size)
  if (!Number.isSafeInteger(size)) throw nonsense(fields.path)
  if (type === 'f') entries.set(path, { type: 'file', path, size, mode, mtime, ctime, ino: BigInt(fields.ino) })
  else if (type === 'd') entries.set(path, { type: 'folder', path, mode, mtime, ino: BigInt(fields.ino) })
  else if (type === 'l') entries.set(path, { type: 'link', path, target: decode(target), mtime })
  else others.set(path, 'it is no file, folder or link')
}

function checked(path: string): string {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..') || path.includes('\0')) {
    throw nonsense(path)
  }
  return decode(path)
}

function decode(text: string): string {
  return decodeName(Buffer.from(text, 'latin1'))
}

function nonsense(what: string): KuberunError {
  return new KuberunError('sync', `the listing of the folder in the pod makes no sense: ${what.slice(0, 100)}`)
}
