import { UsageError } from '../../errors.ts'
import { formatBytes, formatCount, formatLimit } from '../byte-size.ts'
import type { Entry } from '../entry.ts'
import { visible } from '../visible.ts'
import { largest, type Sized } from './largest.ts'

/** An upload that is larger than wanted. */
export interface OverLimit {
  bytes: number
  limit: number
  /** What to exclude, largest first: folders, and files where they are what is large. */
  largest: Sized[]
}

/**
 * Compares what would go up with `--max-upload`.
 * @param limit in bytes
 * @returns undefined where it is not more
 */
export function overLimit(entries: Iterable<Entry>, limit: number): OverLimit | undefined {
  const files = [...entries].filter((entry) => entry.type === 'file')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return bytes > limit ? { bytes, limit, largest: culprits(files, bytes) } : undefined
}

/** What is said of it, on a terminal before the question whether to go on. */
export function overLimitText({ bytes, limit, largest: items }: OverLimit): string {
  const [short, most] = [formatBytes(bytes), formatLimit(limit)]
  // Just above the limit, both would read the same.
  const amount = short === formatBytes(limit) ? `${formatCount(bytes)} bytes` : short
  const named = items.map(({ path, size }) => `${visible(path)} ${formatBytes(size)}`).join(', ')
  return `${amount} would go up, more than --max-upload=${most}; the largest: ${named}`
}

/** The failure where nobody can be asked. */
export function overLimitError(over: OverLimit): UsageError {
  const hint = 'exclude them in .gitignore, .warpignore or by --exclude, or raise --max-upload'
  return new UsageError(overLimitText(over), { hint })
}

/** How many are named, and from which part of the whole on. */
const named = 3
const worthNaming = 0.05
/** What holds this part of a folder is named instead of the folder: `packages/web/node_modules` says more than `packages`. */
const nearlyAll = 0.8

function culprits(files: readonly Sized[], bytes: number): Sized[] {
  const inFolders = childrenOf(files)
  const [first, ...others] = largest((inFolders.get('') ?? new Map<string, Sized>()).values(), named)
  if (first === undefined) return []
  return [first, ...others.filter(({ size }) => size >= worthNaming * bytes)].map((item) => narrowed(item, inFolders))
}

type Children = ReadonlyMap<string, ReadonlyMap<string, Sized>>

/** What is in each folder, by the paths of both, with the bytes at any depth in it. */
function childrenOf(files: readonly Sized[]): Children {
  const inFolders = new Map<string, Map<string, Sized>>()
  for (const { path, size } of files) {
    for (let child = path; child !== ''; ) {
      const folder = child.slice(0, Math.max(0, child.lastIndexOf('/')))
      const children = inFolders.get(folder) ?? new Map<string, Sized>()
      inFolders.set(folder, children)
      children.set(child, { path: child, size: size + (children.get(child)?.size ?? 0) })
      child = folder
    }
  }
  return inFolders
}

function narrowed(item: Sized, inFolders: Children): Sized {
  const [heaviest] = largest(inFolders.get(item.path)?.values() ?? [], 1)
  if (heaviest === undefined || heaviest.size < nearlyAll * item.size) return item
  return narrowed(heaviest, inFolders)
}
