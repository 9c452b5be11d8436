import { encodePath } from '../path.ts'
import { largest, type Sized, topFolders } from './largest.ts'
import type { PlanTotals, UploadPlan } from './plan.ts'
import type { PlanEntry } from './plan-entries.ts'

/** A plan for programs: plain data for JSON and YAML. */
export interface PlanObject {
  /** The local root. */
  root: string
  entries: (ObjectPath & Omit<PlanEntry, 'path'>)[]
  totals: PlanTotals
  /** Of what goes. */
  largest: { files: (ObjectPath & { size: number })[]; folders: (ObjectPath & { size: number })[] }
}

/** A path relative to the local root. */
export interface ObjectPath {
  /** The path; for people only where there is a `pathBase64`: what is no UTF-8 in it is U+FFFD. */
  path: string
  /** The bytes of a path that is not UTF-8; absent where `path` says it. */
  pathBase64?: string
}

export function planObject(plan: UploadPlan): PlanObject {
  const { files, folders } = largestOf(plan)
  return {
    root: plan.root,
    entries: plan.entries.map(({ answer, path, ...rest }) => ({ answer, ...objectPath(path), ...rest })),
    totals: plan.totals,
    largest: { files: files.map(sized), folders: folders.map(sized) },
  }
}

/** How many of the largest are named. */
const named = 5

/** The largest of what goes: files, and folders in the root. */
export function largestOf({ entries }: UploadPlan): { files: Sized[]; folders: Sized[] } {
  const files = entries.flatMap(({ answer, path, size }) =>
    answer === 'in' && size !== undefined ? [{ path, size }] : [],
  )
  return { files: largest(files, named), folders: largest(topFolders(files), named) }
}

function objectPath(path: string): ObjectPath {
  if (path.isWellFormed()) return { path }
  const bytes = encodePath(path)
  return { path: bytes.toString('utf8'), pathBase64: bytes.toString('base64') }
}

function sized({ path, size }: Sized): ObjectPath & { size: number } {
  return { ...objectPath(path), size }
}
