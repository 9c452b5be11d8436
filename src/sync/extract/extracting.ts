import { KuberunError } from '../../errors.ts'
import type { FileEntry } from '../entry.ts'
import { stagingPrefix } from '../rules/filter.ts'
import type { TarCount } from '../tar/tar-limits.ts'
import type { ExtractReport } from './extract-report.ts'
import { openRoot } from './open-folder.ts'
import { OpenTree } from './open-tree.ts'
import { foldsNamesIn } from './spellings.ts'
import type { StagingNames } from './staged.ts'
import { Unlocked } from './unlocked.ts'

export interface ExtractionOptions {
  /** Absolute, and without links: of a local root. */
  root: string
  /** In the names of what is being written: `.kuberun-sync-<run id>-<n>`. */
  runId: string
  /** Filled while it goes on, and right also where that fails. */
  report: ExtractReport
  /** Counts what is refused, and what hard links copy. */
  count: TarCount
  /** Found out where it is not given; see `foldsNamesIn`. */
  foldsNames?: boolean | undefined
  /** Whether a folder that its owner may not write to is to be written to all the same; none, where it is not given. */
  mayOpen?: ((path: string) => boolean) | undefined
  /** False for the way that is not Linux's; see `openRoot`. */
  byDescriptor?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** What has no place yet. Disposed of before it has, it is removed. */
export interface ToPlace extends Disposable {
  /** In the archive. */
  path: string
  place: () => void | Promise<void>
}

/** What an extraction knows while it goes on. */
export interface Extracting extends Disposable {
  options: ExtractionOptions
  count: TarCount
  tree: OpenTree
  unlocked: Unlocked
  /** For a second folder at a time: that of the file that a hard link is to be a copy of. */
  sources: OpenTree
  names: StagingNames
  staged: ToPlace[]
  /** Paths of the archive. */
  seen: Set<string>
  /** The files that were put, by their path in the archive. */
  files: Map<string, FileEntry>
  /** The folders that are to be finished, by their path here. */
  folders: Map<string, FolderPlan>
  refuse(path: string, reason: string): void
}

export interface FolderPlan {
  /** In the archive. */
  path: string
  mode: number
  mtime: bigint
}

/** @throws {KuberunError} `sync`: the root cannot be written to */
export function startExtracting(options: ExtractionOptions): Extracting {
  const { root, runId, byDescriptor, report, count, mayOpen = () => false } = options
  const staged: ToPlace[] = []
  let next = 0
  const names = (): string => `${stagingPrefix}${runId}-${next++}`
  try {
    let folds = options.foldsNames
    // To find out touches the root: only if something is put.
    const foldsNames = (): boolean => (folds ??= probe(options, names()))
    const unlocked = new Unlocked(mayOpen)
    const tree = new OpenTree(root, { foldsNames, byDescriptor, onLocked: (folder) => unlocked.unlock(folder) })
    const sources = new OpenTree(root, { foldsNames: () => false, byDescriptor })
    return {
      options,
      count,
      tree,
      unlocked,
      sources,
      names,
      staged,
      seen: new Set(),
      files: new Map(),
      folders: new Map(),
      refuse(path, reason) {
        report.refused.push({ path, reason })
        count.add('refused', 1)
      },
      [Symbol.dispose]() {
        for (const one of staged.splice(0)) one[Symbol.dispose]()
        tree[Symbol.dispose]()
        sources[Symbol.dispose]()
      },
    }
  } catch (cause) {
    throw new KuberunError('sync', `cannot write to the folder "${root}": ${(cause as Error).message}`, { cause })
  }
}

/** Where nothing can be made in the root itself there is still what is in it: there nothing folds but on a Mac. */
function probe({ root, byDescriptor }: ExtractionOptions, name: string): boolean {
  const folder = openRoot(root, byDescriptor)
  try {
    return foldsNamesIn(folder, name)
  } catch {
    return process.platform === 'darwin' || process.platform === 'win32'
  } finally {
    folder.close()
  }
}
