import type { ExtractReport } from './extract-report.ts'
import type { TarEntry } from './tar-entry.ts'
import type { TarLimits } from './tar-limits.ts'

/** Whether an entry is to be put: at its own path, not at all, or at another path. */
export type Want = 'put' | 'skip' | { as: string }

export interface ExtractOptions {
  /** Absolute, and without links: of a local root. */
  root: string
  /** In the names of what is being written: `.kuberun-sync-<run id>-<n>`. */
  runId: string
  /** Asked of each entry that could be put, right before it is. Paths are below the root. */
  wants: (entry: TarEntry) => Want | Promise<Want>
  /**
   * Asked once more of a file or a link when all of it is here, right before it gets its place: what is there may have
   * changed while the content came. Another path must be in the same folder.
   */
  stillWants?: (entry: TarEntry, path: string) => Want
  /** Filled while the archive is extracted, and right also where that fails. */
  report: ExtractReport
  /** What all paths of the archive begin with, such as `./`, and is not theirs here. */
  prefix?: string
  limits?: Partial<TarLimits>
  /** Found out where it is not given; see `foldsNamesIn`. */
  foldsNames?: boolean
  /** False for the way that is not Linux's; see `openRoot`. */
  byDescriptor?: boolean
  signal?: AbortSignal
}
