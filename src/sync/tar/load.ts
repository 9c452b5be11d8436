import type { Entry } from '../entry.ts'
import type { Disk } from '../local/disk.ts'
import { Slab } from './slab.ts'
import { SourceFile } from './source-file.ts'

/** An entry as far as it was read. */
export type Loaded =
  | { is: 'whole'; entry: Entry; data: Buffer; changed: boolean }
  /** Too large to be read ahead: open, to be read and disposed of. */
  | { is: 'open'; file: SourceFile }
  | { is: 'vanished'; path: string }
  | { is: 'unreadable'; path: string; code: string }

export interface LoadOptions {
  root: string
  disk: Disk
}

/** Files up to this many bytes are read as a whole. */
export const smallSize = 64 * 1024
/** How many files are read at a time where the file system makes us wait. */
const ahead = 16

/** Reads entries, ahead where the file system is slow, and gives them in their order. */
export async function* loadInOrder(entries: Iterable<Entry>, options: LoadOptions): AsyncGenerator<Loaded> {
  const begun: Promise<Loaded>[] = []
  const loading = { ...options, slab: new Slab() }
  try {
    for (const entry of entries) {
      await options.disk.turn()
      begun.push(begin(entry, loading))
      while (begun.length >= (options.disk.isSlow ? ahead : 1)) yield await next(begun)
    }
    while (begun.length > 0) yield await next(begun)
  } finally {
    for (const left of await Promise.allSettled(begun)) {
      if (left.status === 'fulfilled' && left.value.is === 'open') left.value.file[Symbol.dispose]()
    }
  }
}

interface Loading extends LoadOptions {
  slab: Slab
}

function begin(entry: Entry, options: Loading): Promise<Loaded> {
  const loading = load(entry, options)
  // Who waits for it hears of the failure; until then it is nobody's fault that nobody waits.
  loading.catch(() => {})
  return loading
}

function next(begun: Promise<Loaded>[]): Promise<Loaded> {
  const [first] = begun.splice(0, 1)
  if (first === undefined) throw new Error('nothing was begun')
  return first
}

async function load(entry: Entry, { root, disk, slab }: Loading): Promise<Loaded> {
  const { path } = entry
  if (entry.type !== 'file') return { is: 'whole', entry, data: nothing, changed: false }
  try {
    const file = await SourceFile.open(disk, root, path)
    if (file === undefined) return { is: 'vanished', path }
    return file.entry.size > smallSize ? { is: 'open', file } : await readSmall(file, slab)
  } catch (error) {
    return { is: 'unreadable', path, code: codeOf(error) }
  }
}

const nothing = Buffer.alloc(0)

async function readSmall(file: SourceFile, slab: Slab): Promise<Loaded> {
  using source = file
  const data = await source.readAll(slab.cut(source.entry.size))
  return { is: 'whole', entry: source.entry, data, changed: await source.changed(data.length) }
}

/** @throws the error where it is none of the file system */
export function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return code
}
