import { lstatSync, mkdirSync } from 'node:fs'
import { parentPath } from '../path.ts'
import { visible } from '../visible.ts'
import { type OpenFolder, openRoot } from './open-folder.ts'
import { errnoOf, Refusal } from './refusal.ts'
import { type Spellings, spellingsIn } from './spellings.ts'

export interface OpenTreeOptions {
  /** Whether two names that differ in case, or in how a letter is composed, are the same here. Asked when it matters. */
  foldsNames: () => boolean
  /** False for the way that works everywhere; see {@link openRoot}. */
  byDescriptor?: boolean | undefined
  /** Told of a folder that may not be entered, before that is tried once more. */
  onLocked?: (folder: OpenFolder) => void
}

interface Step {
  folder: OpenFolder
  /** Listed where it matters. */
  spellings?: Spellings
}

/**
 * The folders of a local root, opened step by step and never through a link.
 *
 * Those on the way to the last one stay open, as what comes next mostly is in the same; they are used again only where
 * the path still leads to them.
 */
export class OpenTree implements Disposable {
  readonly #foldsNames: () => boolean
  readonly #onLocked: (folder: OpenFolder) => void
  readonly #steps: Step[]

  constructor(root: string, options: OpenTreeOptions) {
    this.#foldsNames = options.foldsNames
    this.#onLocked = options.onLocked ?? (() => {})
    this.#steps = [{ folder: openRoot(root, options.byDescriptor) }]
  }

  /**
   * The folder that something is in. It is valid until the next is asked for.
   * @param path of what is in it
   * @param make whether folders that are missing are made
   * @param isForStaging leaves out to look whether an open one still is where it was, as far as what is written in it
   *   surely is in that one: before what is staged gets its place, that is looked at
   * @throws {Refusal} its path goes through something else than folders, or a name is there in another spelling
   * @throws an error of node:fs
   */
  folderOf(path: string, { make, isForStaging = false }: { make: boolean; isForStaging?: boolean }): OpenFolder {
    const parent = parentPath(path)
    const names = parent === '' ? [] : parent.split('/')
    this.#leave(names)
    const { folder } = this.#last
    // A folder is where it was if all above it are.
    if (!(isForStaging && folder.isExact) && !folder.isThere()) this.#close(1)
    for (const name of names.slice(this.#steps.length - 1)) this.#enter(name, make)
    return this.#last.folder
  }

  /**
   * Has to be asked before something gets a name in the folder that was opened last.
   * @throws {Refusal} it is there in another spelling
   */
  checkSpelling(name: string): void {
    if (!this.#foldsNames()) return
    const step = this.#last
    step.spellings ??= spellingsIn(step.folder.names())
    const other = step.spellings.other(name)
    if (other !== undefined) throw new Refusal(`"${visible(other)}" is the same name here`)
    step.spellings.add(name)
  }

  [Symbol.dispose](): void {
    for (const { folder } of this.#steps.splice(0)) folder.close()
  }

  get #last(): Step {
    const last = this.#steps.at(-1)
    if (last === undefined) throw new Error('the tree is closed')
    return last
  }

  /** Closes the folders that are not on the way. */
  #leave(names: readonly string[]): void {
    const paths = names.map((_, index) => names.slice(0, index + 1).join('/'))
    const shared = this.#steps.slice(1).findIndex(({ folder }, index) => folder.path !== paths[index])
    const kept = shared < 0 ? this.#steps.length : shared + 1
    this.#close(kept)
  }

  #close(kept: number): void {
    for (const { folder } of this.#steps.splice(kept)) folder.close()
  }

  #enter(name: string, make: boolean): void {
    this.checkSpelling(name)
    const { folder } = this.#last
    try {
      this.#steps.push({ folder: folder.open(name) })
    } catch (error) {
      const code = errnoOf(error)
      if (code === 'ENOTDIR' || code === 'ELOOP') throw notAFolder(folder, name)
      if (code === 'EACCES' || make) this.#onLocked(folder)
      if (code === 'ENOENT' && make) mkdirSync(folder.at(name))
      else if (code !== 'EACCES') throw error
      this.#steps.push({ folder: folder.open(name) })
    }
  }
}

function notAFolder(folder: OpenFolder, name: string): Refusal {
  const isLink = lstatSync(folder.at(name), { throwIfNoEntry: false })?.isSymbolicLink() === true
  return new Refusal(isLink ? 'its path goes through a link' : 'its path goes through a file')
}
