import { lstat } from 'node:fs/promises'
import type { SyncOptions } from '../options.ts'
import type { Reporter } from '../pod/reporter.ts'
import type { Entry } from './entry.ts'
import { type Changes, changesBetween, isEmpty, only } from './local/changes.ts'
import { LocalTree } from './local/tree.ts'
import { localPath } from './path.ts'
import type { Remote } from './remote/remote.ts'
import { type Sent, sendChanges, sendTree, type Unchanged, unreadableError } from './remote/sender.ts'

/** How often a tree is listed again before the command starts, at most: one that changes all the time is sent as it is. */
const mostRounds = 5

export interface UpOptions {
  /** The local root, absolute. */
  root: string
  sync: SyncOptions
  reporter: Reporter
  signal: AbortSignal
}

/** What of the changes is to be sent. */
interface Meant {
  /** Leaves the others for later. */
  isMeant?: (path: string) => boolean
  /** Of what is sent, what has changed there is left, too; see {@link sendChanges}. */
  unchanged?: Unchanged
}

/** What a sending has brought about. */
export interface Applied {
  /** What is there now, or is gone: paths below the root. */
  paths: string[]
  bytes: number
}

/**
 * The local tree, and what of it the pod has: from the two it knows what to send.
 *
 * What is not known to be there, or to be gone, is sent or removed again; that does no harm twice.
 */
export class Up {
  readonly tree: LocalTree
  readonly #options: UpOptions
  /** What is there. */
  readonly #sent = new Map<string, Entry>()
  /** What is there as it was when it last went: it no longer goes, but is still here. */
  readonly #left = new Map<string, Entry>()
  /** What was being changed there when the exec failed. */
  readonly #unsure = new Map<string, Entry>()
  /** What changed while it was read the last time. */
  #restless = new Set<string>()
  readonly #told = new Set<string>()
  #isInitial = true

  constructor(options: UpOptions) {
    this.#options = options
    this.tree = new LocalTree(options.root, options.sync, options.signal)
  }

  /** Whether something that is known has not been brought there. */
  get isBehind(): boolean {
    return this.#restless.size > 0 || this.#unsure.size > 0
  }

  /** What is there, as it was here when it went. */
  get sent(): ReadonlyMap<string, Entry> {
    return this.#sent
  }

  /** Whether something here is not as it went, by the tree as it was last listed. */
  get hasChanges(): boolean {
    return this.isBehind || !isEmpty(changesBetween(this.#sent, this.tree.entries))
  }

  /** What came down is on both sides: it is not to go up. */
  noteReturned(written: Iterable<Entry>, removed: Iterable<string>): void {
    for (const path of removed) this.#sent.delete(path)
    for (const entry of written) this.#sent.set(entry.path, entry)
  }

  /**
   * Sends these paths and nothing else, whether or not they have changed here; where nothing is here, removes them there.
   * @param there what is there, as it was listed last
   * @param unchanged what has changed there since is left as it is
   * @throws as {@link send}
   */
  async sendOnly(
    remote: Remote,
    paths: ReadonlySet<string>,
    { there, unchanged }: { there: ReadonlyMap<string, Entry>; unchanged: Unchanged },
  ): Promise<Applied | undefined> {
    for (const path of paths) {
      const entry = there.get(path)
      if (entry === undefined) this.#sent.delete(path)
      else this.#sent.set(path, outdated(entry))
    }
    // What may not go after all need not be read for it.
    const meant = await unchanged([...paths])
    return this.send(remote, { isMeant: (path) => meant.has(path), unchanged })
  }

  /**
   * Brings the whole tree there, as it is when it ends.
   * @param follow is called after each listing, to watch; says whether it has to be listed again
   */
  async initial(remote: Remote, follow: () => boolean): Promise<void> {
    follow()
    const all = [...this.tree.entries.values()]
    const files = all.filter(({ type }) => type === 'file').length
    const total = `of ${files} files`
    const begin = performance.now()
    const sent = await sendTree(remote, all, {
      ...this.#sendOptions,
      onProgress: (count, bytes) => this.#options.reporter.waiting(progress(`${count} ${total}`, bytes, begin)),
    })
    this.#note(sent)
    for (let round = 0; round < mostRounds; round++) {
      await this.tree.retake()
      const again = follow()
      if ((await this.send(remote)) === undefined && !again && !this.isBehind) break
    }
    this.#isInitial = false
  }

  /**
   * Sends what has changed since it was last sent, by the tree as it was last listed.
   * @returns undefined where nothing had
   * @throws {KuberunError} where it is not known what of it was done: with another remote it is sent again
   */
  async send(remote: Remote, { isMeant = () => true, unchanged }: Meant = {}): Promise<Applied | undefined> {
    const all = only(await this.#changes(), isMeant)
    if (isEmpty(all)) {
      // What there was to be sent again is gone, or is no longer to be sent.
      this.#restless.clear()
      this.#unsure.clear()
      return undefined
    }
    try {
      const options = { ...this.#sendOptions, restless: this.#restless, force: this.#unsure.size > 0, unchanged }
      const sent = await sendChanges(remote, { changes: all, tree: this.tree.entries }, options)
      const changes = only(all, (path) => !sent.withheld.has(path))
      for (const { path } of changes.removed) this.#sent.delete(path)
      // Whether or not something could be put in its place.
      for (const path of changes.replaced) this.#sent.delete(path)
      this.#forgetDoubts(sent, changes.removed)
      this.#note(sent)
      // What was to be replaced is gone, though what changed while it was read is not there yet.
      const gone = [...changes.removed.map(({ path }) => path), ...changes.replaced]
      const paths = [...gone.filter((path) => !sent.entries.has(path)), ...sent.entries.keys()]
      return paths.length === 0 ? undefined : { paths, bytes: bytesOf(sent.entries.values()) }
    } catch (error) {
      for (const entry of [...all.removed, ...all.put]) {
        this.#sent.delete(entry.path)
        this.#unsure.set(entry.path, entry)
      }
      throw error
    }
  }

  /** What changed while it was read is yet to come: until then nobody knows what is in its place. */
  #forgetDoubts({ entries, changed, withheld }: Sent, removed: readonly Entry[]): void {
    const toCome = new Set([...changed.filter((path) => !entries.has(path)), ...withheld])
    const gone = new Set(removed.map(({ path }) => path))
    for (const [path, entry] of this.#unsure) {
      if (toCome.has(path)) continue
      this.#unsure.delete(path)
      // What has vanished meanwhile, or cannot be read, may be there all the same: to be removed one day.
      if (!gone.has(path)) this.#sent.set(path, outdated(entry))
    }
  }

  get #sendOptions() {
    return { root: this.#options.root, signal: this.#options.signal }
  }

  async #changes(): Promise<Changes> {
    const { entries } = this.tree
    const changes = changesBetween(this.#sent, entries)
    const unsure = [...this.#unsure.values()].filter(({ path }) => !entries.has(path))
    const removed = await Promise.all(
      [...changes.removed, ...unsure].map(async (entry) => ({
        entry,
        // What is still here and no longer goes stays there as it is; so does what cannot be looked at any more.
        stays: await lstat(localPath(this.#options.root, entry.path)).then(
          () => true,
          ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
        ),
      })),
    )
    for (const { entry, stays } of removed) {
      if (!stays) continue
      this.#sent.delete(entry.path)
      this.#left.set(entry.path, entry)
    }
    for (const { path, type } of changes.put) {
      const left = this.#left.get(path)
      if (left !== undefined && (left.type === 'folder') !== (type === 'folder')) changes.replaced.add(path)
    }
    return { ...changes, removed: removed.filter(({ stays }) => !stays).map(({ entry }) => entry) }
  }

  #note({ entries, changed, unreadable }: Sent): void {
    this.#restless = new Set(changed)
    for (const [path, entry] of entries) {
      // What changed meanwhile is there, to be removed one day; but it is not what is here.
      this.#sent.set(path, this.#restless.has(path) ? outdated(entry) : entry)
      this.#left.delete(path)
    }
    const { sync, reporter } = this.#options
    // Once the command runs, nothing of the sync ends it.
    if (unreadable.length > 0 && sync.strict && this.#isInitial) throw unreadableError(unreadable)
    for (const text of unreadable)
      if (!this.#told.has(text)) reporter.warning(`not sent, as it cannot be read: ${text}`)
    for (const text of unreadable) this.#told.add(text)
  }
}

/** As something that is there, and surely not as it is here. */
function outdated(entry: Entry): Entry {
  if (entry.type === 'file') return { ...entry, ctime: 0n }
  return entry.type === 'folder' ? { ...entry, mode: -1 } : { ...entry, target: '' }
}

function bytesOf(entries: Iterable<Entry>): number {
  let bytes = 0
  for (const entry of entries) if (entry.type === 'file') bytes += entry.size
  return bytes
}

function progress(files: string, bytes: number, begin: number): string {
  const seconds = (performance.now() - begin) / 1000
  const rate = seconds > 0.5 ? `, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s` : ''
  return `sending ${files}, ${(bytes / 1e6).toFixed(1)} MB${rate}`
}
