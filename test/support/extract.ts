import type { ExtractReport } from '../../src/sync/extract/extract-report.ts'
import { Extraction } from '../../src/sync/extract/extraction.ts'
import type { TarEntry } from '../../src/sync/tar/tar-entry.ts'
import { TarCount, type TarLimits } from '../../src/sync/tar/tar-limits.ts'
import { readTar } from '../../src/sync/tar/tar-reader.ts'

/** Whether an entry is to be put: at its own path, not at all, or at another path. */
export type Want = 'put' | 'skip' | { as: string }

export interface ExtractOptions {
  root: string
  runId: string
  /** Asked of each entry right before it is put. */
  wants: (entry: TarEntry) => Want | Promise<Want>
  /** Asked of a file or a link right before it gets its place. */
  mayPlace?: (path: string) => boolean
  /** What all paths of the archive begin with, and is not theirs here. */
  prefix?: string
  report: ExtractReport
  limits?: Partial<TarLimits>
  foldsNames?: boolean
  byDescriptor?: boolean
  signal?: AbortSignal
}

/** Extracts a whole archive, each entry for itself. */
export async function extract(archive: AsyncIterable<Buffer>, options: ExtractOptions): Promise<void> {
  const { wants, mayPlace = () => true, prefix = '', limits, ...rest } = options
  const count = new TarCount(limits)
  using extraction = new Extraction({ ...rest, count })
  try {
    for await (const { entry: found, content } of readTar(archive, { count, signal: rest.signal })) {
      const entry = below(prefix, found)
      const want = await wants(entry)
      if (want === 'skip') continue
      const as = want === 'put' ? entry.path : want.as
      await extraction.put({ entry, content }, { as, mayPlace: () => mayPlace(as) })
      await extraction.place()
    }
  } finally {
    await extraction.finish()
  }
}

function below(prefix: string, entry: TarEntry): TarEntry {
  const strip = (path: string): string =>
    `${path}/` === prefix ? '' : path.slice(path.startsWith(prefix) ? prefix.length : 0)
  const { type, path, target } = entry
  return { ...entry, path: strip(path), target: type === 'hard link' ? strip(target) : target }
}
