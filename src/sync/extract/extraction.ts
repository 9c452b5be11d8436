import { KuberunError } from '../../errors.ts'
import { Disk } from '../local/disk.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { ReadEntry } from '../tar/tar-reader.ts'
import { visible } from '../visible.ts'
import { type Extracting, type ExtractionOptions, startExtracting } from './extracting.ts'
import { Foreign } from './foreign.ts'
import type { OpenFolder } from './open-folder.ts'
import type { OpenTree } from './open-tree.ts'
import { pathFault } from './path-fault.ts'
import { putEntry } from './put-entry.ts'
import { finishFolders } from './put-folder.ts'
import { endOf, Refusal, reasonOf } from './refusal.ts'
import type { MayPlace } from './staged.ts'

/** Where an entry is to be. */
export interface Placement {
  /** Its path here, which may be as bad as one of an archive. */
  as: string
  /** Asked of a file or a link right before it gets its place. */
  mayPlace?: MayPlace
}

/**
 * Brings what a pod sent into a local root. The entries are untrusted: whatever they are, nothing is written outside the
 * root, or through a link, or over a folder, or into a `.git`. One that asks for it is refused and reported, the others
 * are extracted.
 *
 * A file or a link is made beside its place, and later renamed into it, so that whoever looks sees the old one or the new
 * one, whole. Folders that are missing are made; modes and times of folders come last. Links are as the archive has them,
 * wherever they lead: nobody follows them here. A hard link becomes a copy. Setuid and setgid do not come along.
 *
 * Disposed of early, it removes what it staged, and what it placed stays; the report tells.
 */
export class Extraction implements Disposable {
  readonly #extracting: Extracting
  readonly #disk: Disk

  /** @throws {KuberunError} `sync`: the root cannot be written to */
  constructor(options: ExtractionOptions) {
    this.#extracting = startExtracting(options)
    this.#disk = new Disk({ signal: options.signal })
  }

  /**
   * Makes a folder, or stages a file or a link.
   * @throws {KuberunError} `sync`: nothing more can be written here, such as on a full disk
   * @throws the signal's reason when it aborts, and what the content throws
   */
  async put({ entry, content }: ReadEntry, { as: path, mayPlace = () => true }: Placement): Promise<void> {
    await this.#disk.turn()
    await this.#attempt(entry.path, async () => {
      const fault = pathFault(entry.path) ?? typeFault(entry) ?? targetFault(entry) ?? this.#repeated(entry)
      const reason = fault ?? pathFault(path)
      if (reason !== undefined) throw new Refusal(reason)
      await putEntry({ entry, content, path, mayPlace }, this.#extracting)
    })
  }

  /** Its folders. */
  get tree(): OpenTree {
    return this.#extracting.tree
  }

  /**
   * The folder that something is in that is to be removed.
   * @throws as {@link OpenTree.folderOf}
   */
  folderToChange(path: string): OpenFolder {
    const { tree, unlocked } = this.#extracting
    const folder = tree.folderOf(path, { make: false })
    unlocked.unlock(folder)
    return folder
  }

  /** Does something in its turn among what is to be placed, and where it cannot be done reports it. */
  later(path: string, run: () => void): void {
    this.#extracting.staged.push({ path, place: run, [Symbol.dispose]: () => {} })
  }

  /**
   * Gives what is staged its place, in the order in which it came.
   * @throws as {@link put}
   */
  async place(): Promise<void> {
    const { staged } = this.#extracting
    for (let next = staged.shift(); next !== undefined; next = staged.shift()) {
      using one = next
      await this.#disk.turn()
      await this.#attempt(one.path, () => one.place())
    }
  }

  /** Sets modes and times of the folders: also where all else failed, as some were opened to be written in. */
  async finish(): Promise<void> {
    for (const { path, run } of finishFolders(this.#extracting)) await this.#attempt(path, run)
    const { tree, unlocked, folders } = this.#extracting
    unlocked.lock(tree, folders)
  }

  [Symbol.dispose](): void {
    this.#extracting[Symbol.dispose]()
  }

  /** Folders may: they come before what is in them, and after. */
  #repeated({ type, path }: TarEntry): string | undefined {
    const { seen } = this.#extracting
    if (type === 'folder') return undefined
    if (seen.has(path)) return 'the archive has it twice'
    seen.add(path)
    return undefined
  }

  /** A failure that is about one entry is reported; others end the extraction. */
  async #attempt(path: string, work: () => void | Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (error instanceof Foreign) throw error.cause
      const end = endOf(error)
      if (end !== undefined) throw new KuberunError('sync', `cannot write "${visible(path)}": ${end}`, { cause: error })
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      this.#extracting.refuse(path, reason)
    }
  }
}

function typeFault({ type }: TarEntry): string | undefined {
  const known = type === 'file' || type === 'folder' || type === 'link' || type === 'hard link'
  return known ? undefined : `it is a ${type}`
}

function targetFault({ type, target }: TarEntry): string | undefined {
  if (type !== 'link') return undefined
  if (target === '') return 'it is a link to nothing'
  return target.includes('\0') ? 'its target has a NUL in it' : undefined
}
