import type { Entry } from '../entry.ts'
import { encodePath } from '../path.ts'
import { tarHeader } from './tar-header.ts'

/** What an archive has of an entry, ahead of a file's content. */
export function entryHeader(entry: Entry, prefix = ''): Buffer {
  const { type, path, mtime } = entry
  const name = encodePath(prefix + path + (type === 'folder' ? '/' : ''))
  if (type === 'link') return tarHeader({ type, name, mode: 0o777, mtime, target: encodePath(entry.target) })
  return tarHeader({ type, name, mode: entry.mode, mtime, ...(type === 'file' ? { size: entry.size } : {}) })
}
