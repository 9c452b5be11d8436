import type { BigIntStats } from 'node:fs'

/** One item of a tree. Times are nanoseconds since the epoch; modes are permissions and the sticky bit. */
export type Entry = FileEntry | FolderEntry | LinkEntry

export interface FileEntry {
  type: 'file'
  path: string
  size: number
  mode: number
  mtime: bigint
  /** With `ino`, tells apart what size and mtime do not: a `cp -p`, a rename into place, a set-back mtime. */
  ctime: bigint
  ino: bigint
}

export interface FolderEntry {
  type: 'folder'
  path: string
  mode: number
  mtime: bigint
  /** Tells a folder apart from one that had its name before. Only in listings of this machine. */
  ino?: bigint
}

export interface LinkEntry {
  type: 'link'
  path: string
  /** As the link has it, in the encoding of paths; never followed. */
  target: string
  mtime: bigint
}

export function fileEntry(path: string, stat: BigIntStats): FileEntry {
  const { mtimeNs: mtime, ctimeNs: ctime, ino } = stat
  return { type: 'file', path, size: Number(stat.size), mode: modeOf(stat), mtime, ctime, ino }
}

export function folderEntry(path: string, stat: BigIntStats): FolderEntry {
  return { type: 'folder', path, mode: modeOf(stat), mtime: stat.mtimeNs, ino: stat.ino }
}

// Setuid and setgid never travel: who owns the file on the other side is somebody else.
function modeOf(stat: BigIntStats): number {
  return Number(stat.mode) & 0o1777
}
