import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
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
import type { OpenFolder } from './open-folder.ts'
import { encodePath } from './path.ts'
import { errnoOf, Refusal } from './refusal.ts'

/** Writes that are larger wait on a thread, so that the archive goes on coming. */
const smallWrite = 16 * 1024
const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

const pooled = { write: promisify(write) }

/** Gives names that are nobody's, such as `.kuberun-sync-x7k2-0`. */
export type StagingNames = () => string

/**
 * A file, or a link, beside the place that it is for, under a name of ours. Disposed of before it has its place, it is
 * removed.
 */
export class Staged implements Disposable {
  readonly #folder: OpenFolder
  readonly #name: string
  /** Of a file. */
  readonly #fd: number | undefined
  #isPlaced = false

  static file(folder: OpenFolder, names: StagingNames): Staged {
    // Only its owner may read it while it is not whole.
    const { name, made } = makeUnderFreeName(names, (tried) => openSync(folder.at(tried), flags, 0o600))
    return new Staged(folder, name, made)
  }

  static link(folder: OpenFolder, names: StagingNames, target: string): Staged {
    const { name } = makeUnderFreeName(names, (tried) => symlinkSync(encodePath(target), folder.at(tried)))
    return new Staged(folder, name)
  }

  private constructor(folder: OpenFolder, name: string, fd?: number) {
    this.#folder = folder
    this.#name = name
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

  /** To be set when the content is there, which changes the mtime. @param mtime nanoseconds; see {@link fsTime} */
  setFile({ mode, mtime }: { mode: number; mtime: bigint }): void {
    futimesSync(this.#file, fsTime(mtime), fsTime(mtime))
    fchmodSync(this.#file, mode)
  }

  setLinkTime(mtime: bigint): void {
    lutimesSync(this.#folder.at(this.#name), fsTime(mtime), fsTime(mtime))
  }

  /**
   * Gives it its place, in the folder it is in, and instead of a file or a link that is there.
   * @returns what it is there
   * @throws {Refusal} its folder is not in its own place
   * @throws an error of node:fs: EISDIR, a folder is there
   */
  place(name: string): BigIntStats {
    if (!this.#folder.isThere()) throw moved()
    renameSync(this.#folder.at(this.#name), this.#folder.at(name))
    this.#isPlaced = true
    if (!this.#folder.isExact && !this.#folder.isThere()) throw moved()
    return this.#fd === undefined
      ? lstatSync(this.#folder.at(name), { bigint: true })
      : fstatSync(this.#fd, { bigint: true })
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    if (!this.#isPlaced) rmSync(this.#folder.at(this.#name), { force: true })
  }

  get #file(): number {
    if (this.#fd === undefined) throw new Error('a link has no content')
    return this.#fd
  }
}

function moved(): Refusal {
  return new Refusal('its folder was moved while it was written')
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
