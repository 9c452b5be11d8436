import { childPath } from '../path.ts'
import type { FolderFilter } from './filter.ts'
import type { Verdict } from './verdict.ts'

/** A filter, and what it was asked. */
export interface RecordedFilter {
  filter: FolderFilter
  /** What it answered last: by the path of the folder, '' for the root, then by name. */
  folders: ReadonlyMap<string, ReadonlyMap<string, Recorded>>
}

export interface Recorded extends Verdict {
  isFolder: boolean
}

/**
 * The same filter, which remembers its verdicts: a snapshot has what goes, and this has why, and what does not. The
 * snapshot itself keeps no verdict, as it is taken of large trees again and again.
 */
export function recordVerdicts(filter: FolderFilter): RecordedFilter {
  const folders = new Map<string, Map<string, Recorded>>()
  return { filter: recording(filter, ''), folders }

  function recording(inner: FolderFilter, path: string): FolderFilter {
    const recorded = new Map<string, Recorded>()
    folders.set(path, recorded)
    return {
      verdict(name, isFolder) {
        const verdict = inner.verdict(name, isFolder)
        recorded.set(name, { ...verdict, isFolder })
        return verdict
      },
      enter: async (name, entries) => recording(await inner.enter(name, entries), childPath(path, name)),
    }
  }
}
