import type { Entry, FileEntry, FolderEntry, LinkEntry } from '../../src/sync/entry.ts'

export function file(path: string, more: Partial<FileEntry> = {}): FileEntry {
  return { type: 'file', path, size: 1, mode: 0o644, mtime: 1n, ctime: 1n, ino: 1n, ...more }
}

export function folder(path: string, more: Partial<FolderEntry> = {}): FolderEntry {
  return { type: 'folder', path, mode: 0o755, mtime: 1n, ...more }
}

export function link(path: string, more: Partial<LinkEntry> = {}): LinkEntry {
  return { type: 'link', path, target: 'there', mtime: 1n, ...more }
}

export function treeOf(...entries: Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.path, entry]))
}
