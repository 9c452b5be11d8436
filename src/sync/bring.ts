import { rmdirSync, statfsSync, unlinkSync } from 'node:fs'
import type { Entry } from './entry.ts'
import { emptyExtractReport } from './extract/extract-report.ts'
import { Extraction } from './extract/extraction.ts'
import type { OpenFolder } from './extract/open-folder.ts'
import { Refusal, reasonOf } from './extract/refusal.ts'
import { Fetch, type FetchOptions, inParts, isFilePut } from './fetch.ts'
import { lastName } from './path.ts'
import type { Here } from './reconcile/baseline.ts'
import type { Put, Step } from './reconcile/findings.ts'
import { lookAt, lookIn } from './reconcile/here.ts'
import { isSameThing } from './reconcile/node.ts'
import type { Done } from './reconcile/note.ts'
import type { RemoteFiles } from './remote/remote-files.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import { defaultLimits, TarCount, type TarLimits } from './tar/tar-limits.ts'
import type { ReadEntry } from './tar/tar-reader.ts'

/** Looks what is there now, of these paths at least. */
export type Look = (paths: readonly string[]) => Promise<ReadonlyMap<string, Entry>>

export interface BringOptions {
  root: string
  runId: string
  files: RemoteFiles
  /** Files that may come though they change all the time, as long as they only grow. */
  growing: ReadonlySet<string>
  /** Whether something here came from the pod. */
  isMadeThere: (path: string) => boolean
  /** Tells, when files are here, whether they are what is there; and whether what is to be removed is not there. */
  look: Look
  signal: AbortSignal
}

/** What became of steps. */
export interface Brought extends Done {
  /** Why what is neither written nor removed is not, by path. */
  refused: Map<string, string>
  /** What is here, but not all of it: `it is here without its setuid …`. */
  remarks: Map<string, string>
  /** What ended it before its time. */
  error?: unknown
}

/**
 * Does, in order, what is to be done here. Before each it looks whether here still is what the step says; what is not is
 * left alone. A failure ends it, and what was done until then is told all the same.
 */
export async function bring(steps: readonly Step[], options: BringOptions): Promise<Brought> {
  const bringing = new Bringing(options)
  try {
    await bringing.run(steps)
    return bringing.brought
  } catch (error) {
    return { ...bringing.brought, error }
  }
}

class Bringing {
  readonly #options: BringOptions
  readonly #report = emptyExtractReport()
  readonly #removed = new Set<string>()
  readonly #refused = new Map<string, string>()

  constructor(options: BringOptions) {
    this.#options = options
  }

  get brought(): Brought {
    const written = new Map(this.#report.put.map(({ entry }): [string, Here] => [entry.path, entry]))
    const [refused, remarks] = [new Map(this.#refused), new Map<string, string>()]
    const put = new Set(this.#report.put.map(({ path }) => path))
    for (const { path, reason } of this.#report.refused) (put.has(path) ? remarks : refused).set(path, reason)
    return { written, removed: this.#removed, refused, remarks }
  }

  async run(steps: readonly Step[]): Promise<void> {
    const { root, runId, signal, growing, isMadeThere } = this.#options
    const count = new TarCount(limitsOf(steps))
    using extraction = new Extraction({ root, runId, signal, count, report: this.#report, mayOpen: isMadeThere })
    const folders = new Set(steps.filter(isFolderPut).map(({ to }) => to))
    try {
      for (const part of inParts(this.#fitting(steps))) {
        await this.#bring(part, { extraction, folders, fetching: { count, signal, growing } })
      }
    } finally {
      await extraction.finish()
    }
  }

  /** Without the files that alone are larger than what is free here: a sparse one may be, and would fill the disk. */
  #fitting(steps: readonly Step[]): Step[] {
    const free = freeIn(this.#options.root)
    return steps.filter((step) => {
      const fits = !isFilePut(step) || BigInt(step.entry.size) <= free
      if (!fits) this.#refused.set(step.entry.path, 'no space is left for all of it')
      return fits
    })
  }

  /**
   * All of its files are here before any of them gets its place: only then is it known that none changed meanwhile. And
   * what one listing lacks is only removed where the next one lacks it, too.
   */
  async #bring(steps: readonly Step[], { extraction, folders, fetching }: Around): Promise<void> {
    const puts = steps.filter(isFilePut)
    const fetch = new Fetch(this.#options.files, puts, fetching)
    let now: ReadonlyMap<string, Entry> = new Map()
    let whole: ReadonlySet<string> = new Set()
    try {
      for (const step of steps) {
        fetching.signal.throwIfAborted()
        try {
          if (step.does === 'remove') {
            const { path } = step.entry
            // A folder that comes in its place is made at once, for what comes in it.
            if (folders.has(path)) this.#remove(step.entry, extraction)
            else extraction.later(path, () => this.#removeMissing(step.entry, extraction, now))
          } else if (isFilePut(step)) {
            const mayPlace = (folder: OpenFolder): boolean => {
              return this.#isWhole(step, whole) && this.#mayPut(step, lookIn(folder, step.to))
            }
            await extraction.put(await fetch.next(step), { as: step.to, mayPlace })
          } else if (step.entry.type === 'link' || this.#mayPut(step, lookAt(extraction.tree, step.to))) {
            const mayPlace = (folder: OpenFolder): boolean => this.#mayPut(step, lookIn(folder, step.to))
            await extraction.put(withoutContent(step), { as: step.to, mayPlace })
          }
        } catch (cause) {
          const reason = reasonOf(cause)
          if (reason === undefined) throw cause
          this.#refused.set(step.entry.path, reason)
        }
      }
      if (puts.length > 0) await fetch.end()
      for (const [path, why] of fetch.missing) this.#refused.set(path, why)
      const uncertain = steps.filter((step) => step.does === 'remove' || isFilePut(step))
      if (uncertain.length > 0) now = await this.#options.look(uncertain.map(({ entry }) => entry.path))
      whole = await fetch.whole(now)
      await extraction.place()
    } finally {
      await fetch.close()
    }
  }

  #isWhole({ entry: { path } }: Put, whole: ReadonlySet<string>): boolean {
    if (!whole.has(path)) this.#refused.set(path, 'it changes all the time')
    return whole.has(path)
  }

  #mayPut({ entry, over }: Put, here: Here | undefined): boolean {
    if (isSameThing(over, here)) return true
    this.#refused.set(entry.path, 'what is here in its place has changed meanwhile')
    return false
  }

  #removeMissing(entry: Here, extraction: Extraction, now: ReadonlyMap<string, Entry>): void {
    // What has come in its place is no reason to keep it.
    if (now.get(entry.path)?.type === entry.type) throw new Refusal('it is in the pod again')
    this.#remove(entry, extraction)
  }

  #remove(entry: Here, extraction: Extraction): void {
    const folder = extraction.folderToChange(entry.path)
    const here = lookIn(folder, entry.path)
    // Of a folder that is empty there is nothing to lose; its mode is another where it was opened to be emptied.
    const isEntry = entry.type === 'folder' ? here?.type === 'folder' : isSameThing(entry, here)
    if (here !== undefined && !isEntry) throw new Refusal('it has changed here meanwhile')
    const at = folder.at(lastName(entry.path))
    if (here?.type === 'folder') rmdirSync(at)
    else if (here !== undefined) unlinkSync(at)
    this.#removed.add(entry.path)
  }
}

interface Around {
  extraction: Extraction
  /** Paths of the folders that come. */
  folders: ReadonlySet<string>
  fetching: FetchOptions
}

/** What was listed bounds what is to come, and what it may have grown by since. */
function limitsOf(steps: readonly Step[]): Partial<TarLimits> {
  const sizes = steps.filter(isFilePut).map(({ entry }) => entry.size)
  const listed = sizes.reduce((all, size) => all + size, 0)
  const any = Number.POSITIVE_INFINITY
  return { bytes: listed + defaultLimits.bytes, fileBytes: any, nameBytes: any, refused: any }
}

function freeIn(root: string): bigint {
  const { bavail, bsize } = statfsSync(root, { bigint: true })
  return bavail * bsize
}

function isFolderPut(step: Step): step is Put {
  return step.does === 'put' && step.entry.type === 'folder'
}

function withoutContent({ entry }: Put): ReadEntry {
  const { type, path, mtime } = entry
  const [mode, target] = [entry.type === 'link' ? 0o777 : entry.mode, entry.type === 'link' ? entry.target : '']
  const made: TarEntry = { type, path, mode, mtime, size: 0, target }
  return { entry: made, content: nothing() }
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}
