import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { childPath, encodePath, lastName } from '../path.ts'
import { foreignSync } from './foreign.ts'
import type { OpenFolder } from './open-folder.ts'
import type { OpenTree } from './open-tree.ts'
import { errnoOf, Refusal } from './refusal.ts'

/** Writes that are larger wait on a thread, so that the archive goes on coming. */
const smallWrite = 16 * 1024
const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

const pooled = { write: promisify(write) }

/** Gives names that are nobody's, such as `.kuberun-sync-x7k2-0`. */
export type StagingNames = () => string

/** Whether something may get its place in this folder: what is there may have changed while its content came. */
export type MayPlace = (folder: OpenFolder) => boolean

interface Around {
  tree: OpenTree
  names: StagingNames
}

/**
 * A file, or a link, beside the place that it is for, under a name of ours. Disposed of before it has its place, it is
 * removed.
 *
 * There may be thousands of them, so none keeps anything open once it is complete.
 */
export class Staged implements Disposable {
  readonly #tree: OpenTree
  readonly #path: string
  /** Of a file, while it is written. */
  #fd: number | undefined
  #isPlaced = false

  /** @param folder the last that the tree gave */
  static file(folder: OpenFolder, { tree, names }: Around): Staged {
    // Only its owner may read it while it is not whole.
    const { name, made } = makeUnderFreeName(names, (tried) => openSync(folder.at(tried), flags, 0o600))
    return new Staged(tree, childPath(folder.path, name), made)
  }

  /** @param folder the last that the tree gave */
  static link(folder: OpenFolder, { tree, names, target, mtime }: Around & { target: string; mtime: bigint }): Staged {
    const { name } = makeUnderFreeName(names, (tried) => symlinkSync(encodePath(target), folder.at(tried)))
    lutimesSync(folder.at(name), fsTime(mtime), fsTime(mtime))
    return new Staged(tree, childPath(folder.path, name))
  }

  private constructor(tree: OpenTree, path: string, fd?: number) {
    this.#tree = tree
    this.#path = path
    this.#fd = fd
  }

  /** Appends to a file. The bytes are not needed any more when it resolves. */
  async write(bytes: Buffer): Promise<void> {
    const fd = this.#file
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at)
      at += rest.length > smallWrite ? (await pooled.write(fd, rest)).bytesWritten : writeSync(fd, rest)
    }
  }

  /** Completes a file: mode and time come after the content, which changes them. @param mtime nanoseconds; see {@link fsTime} */
  setFile({ mode, mtime }: { mode: number; mtime: bigint }): void {
    futimesSync(this.#file, fsTime(mtime), fsTime(mtime))
    fchmodSync(this.#file, mode)
    this.#close()
  }

  /**
   * Gives it its place, in the folder it is in, and instead of a file or a link that is there.
   * @returns what it is there; undefined where it may not
   * @throws {Refusal} its folder is not in its own place
   * @throws an error of node:fs: EISDIR, a folder is there
   */
  place(name: string, mayPlace: MayPlace): BigIntStats | undefined {
    const folder = this.#folder
    if (!foreignSync(() => mayPlace(folder))) return undefined
    renameSync(folder.at(lastName(this.#path)), folder.at(name))
    this.#isPlaced = true
    if (!folder.isExact && !folder.isThere()) throw new Refusal('its folder was moved while it was written')
    return lstatSync(folder.at(name), { bigint: true })
  }

  [Symbol.dispose](): void {
    this.#close()
    if (this.#isPlaced) return
    try {
      rmSync(this.#folder.at(lastName(this.#path)), { force: true })
    } catch {
      // Its folder is not where it was. The next start looks for what is left over.
    }
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  get #folder(): OpenFolder {
    return this.#tree.folderOf(this.#path, { make: false })
  }

  get #file(): number {
    if (this.#fd === undefined) throw new Error('it is not being written')
    return this.#fd
  }
}

/** Another extraction of the same run may have taken a name. */
function makeUnderFreeName<T>(names: StagingNames, make: (name: string) => T): { name: string; made: T } {
  for (;;) {
    const name = names()
    try {
      return { name, made: make(name) }
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
}

/**
 * A time as node:fs takes it: a double, which in the 2020s has steps of 238 ns. What is later never becomes earlier by
 * that, so `make` has nothing to do. For a negative number Node puts the time of now; not for a Date, which has
 * milliseconds.
 */
export function fsTime(nanoseconds: bigint): number | Date {
  if (nanoseconds < 0n) return new Date(Math.floor(Number(nanoseconds) / 1e6))
  return Number(nanoseconds / 1_000_000_000n) + Number(nanoseconds % 1_000_000_000n) / 1e9
}
