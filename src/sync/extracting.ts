import { KuberunError } from '../errors.ts'
import type { FileEntry } from './entry.ts'
import type { ExtractOptions } from './extract-options.ts'
import { stagingPrefix } from './filter.ts'
import { openRoot } from './open-folder.ts'
import { OpenTree } from './open-tree.ts'
import { foldsNamesIn } from './spellings.ts'
import type { StagingNames } from './staged.ts'
import type { TarCount } from './tar-limits.ts'

/** What an extraction knows while it goes on. */
export interface Extracting extends Disposable {
  options: ExtractOptions
  count: TarCount
  tree: OpenTree
  /** For a second folder at a time: that of the file that a hard link is to be a copy of. */
  sources: OpenTree
  names: StagingNames
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
export function startExtracting(options: ExtractOptions, count: TarCount): Extracting {
  const { root, runId, byDescriptor, report } = options
  let next = 0
  const names = (): string => `${stagingPrefix}${runId}-${next++}`
  try {
    let folds = options.foldsNames
    // To find out touches the root: only if something is put.
    const foldsNames = (): boolean => (folds ??= probe(options, names()))
    const tree = new OpenTree(root, { foldsNames, byDescriptor })
    const sources = new OpenTree(root, { foldsNames: () => false, byDescriptor })
    return {
      options,
      count,
      tree,
      sources,
      names,
      seen: new Set(),
      files: new Map(),
      folders: new Map(),
      refuse(path, reason) {
        report.refused.push({ path, reason })
        count.add('refused', 1)
      },
      [Symbol.dispose]() {
        tree[Symbol.dispose]()
        sources[Symbol.dispose]()
      },
    }
  } catch (cause) {
    throw new KuberunError('sync', `cannot write to the folder "${root}": ${(cause as Error).message}`, { cause })
  }
}

/** Where nothing can be made in the root itself there is still what is in it: there nothing folds but on a Mac. */
function probe({ root, byDescriptor }: ExtractOptions, name: string): boolean {
  const folder = openRoot(root, byDescriptor)
  try {
    return foldsNamesIn(folder, name)
  } catch {
    return process.platform === 'darwin' || process.platform === 'win32'
  } finally {
    folder.close()
  }
}
