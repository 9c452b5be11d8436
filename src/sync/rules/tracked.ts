import { foldCase } from '../byte-text.ts'

/** Files that are in git's index though a rule matches them: git never ignores these. Paths are byte texts. */
export interface Tracked {
  /** `file` for a tracked file, `folder` for a submodule; `above` for a folder that has one of these somewhere below. */
  at(path: string): 'file' | 'folder' | 'above' | undefined
}

export const noneTracked: Tracked = { at: () => undefined }

/** Reads `git ls-files --stage -z`. */
export function parseTracked(listing: string, fold: boolean): Tracked {
  const kinds = new Map<string, 'file' | 'folder' | 'above'>()
  for (const [, mode, path] of listing.matchAll(/(\d+) [^\t]*\t([^\0]*)\0/g)) {
    const folded = fold ? foldCase(path ?? '') : (path ?? '')
    kinds.set(folded, mode === '160000' ? 'folder' : 'file')
    for (let end = folded.lastIndexOf('/'); end > 0; end = folded.lastIndexOf('/', end - 1)) {
      if (kinds.has(folded.slice(0, end))) break
      kinds.set(folded.slice(0, end), 'above')
    }
  }
  return { at: (path) => kinds.get(fold ? foldCase(path) : path) }
}
