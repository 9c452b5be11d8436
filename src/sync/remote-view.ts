import type { Entry } from './entry.ts'
import { isSame } from './local/changes.ts'
import { completed, emptyIn } from './remote/completed.ts'
import type { RemoteFiles, RemoteListing } from './remote/remote-files.ts'
import type { Scan } from './remote/remote-scan.ts'

/** What changes all the time comes after so long, in milliseconds, though it may not be whole yet. */
const longestWait = 2_000
/** To bring that takes this part of the time. */
const share = 0.05

/** What is there, and how much of it is at rest. */
export interface Glance {
  /** As it was before. */
  last: ReadonlyMap<string, Entry>
  entries: ReadonlyMap<string, Entry>
  /** What was not the same, or not there, in both; without what is growing. */
  unstable: ReadonlySet<string>
  /** Has been so for long, and only grows, like a log, as far as that is known. */
  growing: ReadonlySet<string>
  /** Something was unstable before. */
  hasWaited: boolean
  /** All has just been listed. */
  isFresh: boolean
}

/** What is in the remote root, as it was listed last. */
export class RemoteView {
  /** By path. */
  entries: ReadonlyMap<string, Entry> = new Map()
  /** Folders that nobody need look into while the command runs. */
  idle: ReadonlySet<string> = new Set()
  /** Folders that may not be read there, and could be at the beginning: what the command did not make is none of its results. */
  closed: ReadonlySet<string> = new Set()
  readonly #files: RemoteFiles
  #closedBefore: ReadonlySet<string> = new Set()
  /** The last listing of all, as it came, and as it is taken. */
  #listing: { came: RemoteListing; taken: Scan } | undefined
  /** When all of it was listed last, on the clock of `performance.now`. */
  #listedAt = 0
  /** How long that took, in milliseconds. */
  #took = 0
  /** What was not the same in the last two listings. */
  #unstable: ReadonlySet<string> = new Set()
  /** When what changes all the time may come, on the clock of `performance.now`. */
  readonly #due = new Map<string, number>()

  constructor(files: RemoteFiles) {
    this.#files = files
  }

  /** Lists what is there before the command. */
  async begin(): Promise<Scan> {
    const listing = await this.#files.scan()
    this.#closedBefore = await this.#closedIn(listing)
    this.entries = listing.entries
    return listing
  }

  /**
   * Lists all that is there. What is in folders that the pod may not read is taken to be as it was.
   * @param unread folders that nobody looks into: the same holds for them
   * @returns the same object as the last time where nothing has changed
   */
  async list(unread?: ReadonlySet<string>): Promise<Scan> {
    const begin = performance.now()
    const came = await this.#files.scan(unread)
    if (this.#listing?.came !== came) this.#listing = { came, taken: await this.#taken(came) }
    this.#listedAt = begin
    this.#took = performance.now() - begin
    this.entries = this.#listing.taken.entries
    return this.#listing.taken
  }

  /**
   * Lists what is there while the command runs: within the interval only what was not the same the last time.
   * @param interval in milliseconds
   */
  async glance(interval: number): Promise<Glance> {
    const last = this.entries
    const isFresh = performance.now() - this.#listedAt >= interval
    if (isFresh) await this.list(this.idle)
    else if (this.#unstable.size > 0) this.patch([...this.#unstable], await this.#files.look([...this.#unstable]))
    const { entries } = this
    const unstable = differing(last, entries)
    const growing = this.#growing(unstable, last)
    for (const path of growing) unstable.delete(path)
    const hasWaited = this.#unstable.size > 0
    this.#unstable = unstable
    return { last, entries, unstable, growing, hasWaited, isFresh }
  }

  /** How long from now to the next listing: an interval from the beginning of the last, as long as we list for half of the time at most. */
  untilNext(interval: number): number {
    return Math.max(this.#listedAt + interval - performance.now(), this.#took)
  }

  /** Notes how long it took to bring what is growing. */
  tookToBring(growing: ReadonlySet<string>, milliseconds: number): void {
    for (const path of growing) this.#due.set(path, performance.now() + milliseconds / share)
  }

  /** Notes what is there now of these paths. */
  patch(paths: readonly string[], now: ReadonlyMap<string, Entry>): void {
    const changed = paths.filter((path) => !isSameEntry(this.entries.get(path), now.get(path)))
    if (changed.length === 0) return
    const entries = new Map(this.entries)
    for (const path of changed) {
      const entry = now.get(path)
      if (entry === undefined) entries.delete(path)
      else entries.set(path, entry)
    }
    this.entries = entries
  }

  async #taken(came: RemoteListing): Promise<Scan> {
    const { entries, others, unread } = came
    const closed = await this.#closedIn(came)
    this.closed = new Set([...closed].filter((folder) => !this.#closedBefore.has(folder)))
    const isUnknown = (folder: string): boolean => closed.has(folder) || unread.has(folder)
    const isWhole = closed.size === 0 && unread.size === 0
    const all = isWhole ? entries : completed(entries, this.entries, isUnknown)
    // What can come nowhere takes the place of nothing.
    const kept = [...others.keys()].flatMap((path) => this.entries.get(path) ?? [])
    return {
      entries: kept.length === 0 ? all : new Map([...all, ...kept.map((was) => [was.path, was] as const)]),
      others,
    }
  }

  /** Where something was complained of: folders that may not be read, and in which nothing is listed for that reason. */
  async #closedIn({ complaints, entries }: RemoteListing): Promise<ReadonlySet<string>> {
    if (!complaints.some((line) => line.endsWith(': Permission denied'))) return new Set()
    const empty = emptyIn(entries)
    const closed = await this.#files.closed([...empty])
    // What is complained of and cannot be found may be any of them.
    return closed.size > 0 ? closed : empty
  }

  #growing(unstable: ReadonlySet<string>, last: ReadonlyMap<string, Entry>): Set<string> {
    const now = performance.now()
    for (const path of this.#due.keys()) if (!unstable.has(path)) this.#due.delete(path)
    const growing = new Set<string>()
    for (const path of unstable) {
      const due = this.#due.get(path)
      if (due === undefined) this.#due.set(path, now + longestWait)
      else if (due <= now && hasGrown(last.get(path), this.entries.get(path))) growing.add(path)
    }
    return growing
  }
}

function hasGrown(before: Entry | undefined, now: Entry | undefined): boolean {
  return before?.type === 'file' && now?.type === 'file' && before.ino === now.ino && before.size <= now.size
}

/** What is not the same, or not there, in both. */
function differing(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>): Set<string> {
  const paths = new Set<string>()
  if (before === now) return paths
  for (const path of before.keys()) if (!now.has(path)) paths.add(path)
  for (const [path, entry] of now) if (!isSameEntry(before.get(path), entry)) paths.add(path)
  return paths
}

/** Whether, as far as stat tells, nothing has happened to what is there, or to nothing. */
export function isSameEntry(one: Entry | undefined, other: Entry | undefined): boolean {
  return one === undefined || other === undefined ? one === other : isSame(one, other)
}
