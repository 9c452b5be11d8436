import { pathOf } from '../byte-text.ts'
import type { Entry } from '../entry.ts'
import { decodeName, parentPath } from '../path.ts'
import { type FilterOptions, type FolderFilter, openFilter } from '../rules/filter.ts'
import { GitAnswers } from '../rules/git-answers.ts'
import { type GivenRules, isRulesFile } from '../rules/given-rules.ts'
import { foldsCase } from '../rules/repository.ts'
import { type Listing, listFolder } from './listing.ts'
import { namesInRoot } from './local-root.ts'
import { type Skipped, takeSnapshot } from './snapshot.ts'

/** Where as many folders have changed, the whole tree is listed again. */
const many = 20

/** What of a local root goes, kept current. */
export class LocalTree {
  readonly root: string
  /** By path. */
  entries: Map<string, Entry> = new Map()
  /** Every folder that is walked, '' for the root. */
  folders: Map<string, FolderFilter> = new Map()
  /** Of the same folders, what tells that all below them may be another: see {@link Listing}. */
  rules: Map<string, string> = new Map()
  /** What should go and cannot, as it was at the last {@link retake}. */
  skipped: Skipped[] = []
  readonly #options: FilterOptions
  readonly #git = new GitAnswers()
  readonly #signal: AbortSignal
  /** What {@link decides} besides the ignore files: what they, and files of git's options, are read through. */
  readonly #ways = new Set<string>()
  #filter: FolderFilter | undefined

  constructor(root: string, options: FilterOptions, signal: AbortSignal) {
    this.root = root
    this.#options = { ...options, onRead: (way) => this.#noteWay(way), askGit: this.#git.ask }
    this.#signal = signal
  }

  /**
   * Lists the whole tree.
   * @throws {KuberunError} `sync`: the root cannot be listed
   */
  async retake(): Promise<void> {
    this.#filter = await openFilter(this.root, new Set(await namesInRoot(this.root)), this.#options)
    Object.assign(this, await takeSnapshot(this.root, this.#filter, { signal: this.#signal }))
  }

  /**
   * The filter that the root would have with other ignore files.
   * @throws as {@link openFilter}
   */
  async filterWith(given: GivenRules): Promise<FolderFilter> {
    return openFilter(this.root, new Set(await namesInRoot(this.root)), { ...this.#options, given })
  }

  /** `core.ignoreCase`. */
  foldsCase(): Promise<boolean> {
    return foldsCase(this.root, this.#git.ask)
  }

  /** Whether something at this path may decide what goes. */
  decides(path: string): boolean {
    return this.#options.ignore && (isRulesFile(path) || this.#ways.has(path))
  }

  #noteWay(way: readonly string[]): void {
    const begin = this.root === '/' ? '/' : `${this.root}/`
    for (const text of way) {
      const path = decodeName(pathOf(text))
      if (path.startsWith(begin)) this.#ways.add(path.slice(begin.length))
    }
  }

  /** Lists again the folders in which something has changed. */
  async refresh(changed: ReadonlySet<string>): Promise<void> {
    if (changed.size > many) return this.retake()
    const waiting = new Set([...changed].toSorted())
    for (const folder of waiting) {
      if (!this.folders.has(folder)) continue
      if (await this.#list(folder)) {
        this.#git.forget()
        return this.retake()
      }
      if (folder === '' || this.entries.has(folder) === this.#hasContent(folder)) continue
      // Whether a folder goes that goes for the sake of what is in it, the folder says that it is in: once more.
      waiting.delete(parentPath(folder))
      waiting.add(parentPath(folder))
    }
  }

  /** @returns whether more than this folder has to be listed: the rules have changed */
  async #list(path: string): Promise<boolean> {
    const within = path === '' ? this.#filter : this.folders.get(parentPath(path))
    if (within === undefined) return false
    const listing = await listFolder({ root: this.root, path, within })
    if (listing === undefined) {
      // The root that is gone is no tree whose files were all deleted: the next retake says so.
      if (path === '') return true
      this.#forget(path)
      return false
    }
    if (this.rules.get(path) !== listing.rules) return true
    await this.#replace(path, listing)
    return false
  }

  async #replace(folder: string, listing: Listing): Promise<void> {
    this.folders.set(folder, listing.filter)
    if (listing.own !== undefined && this.entries.has(folder)) this.entries.set(folder, listing.own)
    const now = new Map(listing.entries.map((entry) => [entry.path, entry]))
    for (const path of [...this.entries.keys(), ...this.folders.keys()]) {
      if (path !== '' && parentPath(path) === folder && !this.#isStill(path, now.get(path))) this.#forget(path)
    }
    for (const [path, entry] of now) {
      if (entry.type === 'folder' && !this.folders.has(path)) await this.#add(path, listing.filter)
      if (!listing.walked.has(path) || this.#hasContent(path)) this.entries.set(path, entry)
      else this.entries.delete(path)
    }
  }

  /** Whether what was known there is what is there now, be it changed. A folder that was moved brings all that is in it. */
  #isStill(path: string, now: Entry | undefined): boolean {
    const known = this.entries.get(path)
    if (this.folders.has(path) !== (now?.type === 'folder')) return false
    if (now?.type === 'folder') return known?.type !== 'folder' || known.ino === now.ino
    return known?.type === now?.type
  }

  async #add(path: string, within: FolderFilter): Promise<void> {
    const found = await takeSnapshot(this.root, within, { under: path, signal: this.#signal })
    for (const [key, entry] of found.entries) this.entries.set(key, entry)
    for (const [key, filter] of found.folders) this.folders.set(key, filter)
    for (const [key, rules] of found.rules) this.rules.set(key, rules)
  }

  /** The path, and all that is below it. */
  #forget(path: string): void {
    for (const map of [this.entries, this.folders, this.rules]) {
      for (const key of map.keys()) if (key === path || key.startsWith(`${path}/`)) map.delete(key)
    }
  }

  #hasContent(folder: string): boolean {
    return [...this.entries.keys()].some((key) => key.startsWith(`${folder}/`))
  }
}
