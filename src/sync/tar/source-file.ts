import type { BigIntStats } from 'node:fs'
import { type FileEntry, fileEntry } from '../entry.ts'
import type { Disk } from '../local/disk.ts'
import { localPath } from '../path.ts'

/** A file of the local root, open to be read. It has to be disposed of. */
export class SourceFile implements Disposable {
  /** As it was when it was opened. */
  readonly entry: FileEntry
  readonly #fd: number
  readonly #disk: Disk
  readonly #before: BigIntStats
  readonly #openedAt: number

  private constructor(disk: Disk, fd: number, opened: { path: string; stat: BigIntStats; at: number }) {
    this.#disk = disk
    this.#fd = fd
    this.entry = fileEntry(opened.path, opened.stat)
    this.#before = opened.stat
    this.#openedAt = opened.at
  }

  /**
   * @returns undefined where there is no such file (any more), or something else in its place
   * @throws what node:fs throws where it is there and cannot be opened
   */
  static async open(disk: Disk, root: string, path: string): Promise<SourceFile | undefined> {
    const at = Date.now()
    const fd = await openOrGone(disk, localPath(root, path))
    if (fd === undefined) return undefined
    try {
      const stat = await disk.fstat(fd)
      if (stat.isFile()) return new SourceFile(disk, fd, { path, stat, at })
    } catch (error) {
      disk.close(fd)
      throw error
    }
    disk.close(fd)
    return undefined
  }

  /** Reads the whole of a small file: what is left of it. @param data as long as the file was when it was opened */
  async readAll(data: Buffer): Promise<Buffer> {
    let length = 0
    while (length < data.length) {
      const count = await this.#disk.read(this.#fd, length === 0 ? data : data.subarray(length), length)
      if (count === 0) break
      length += count
    }
    return length === data.length ? data : data.subarray(0, length)
  }

  /** Reads a piece of a large file, on the thread pool. @returns how many bytes; 0 where the file ends */
  readAhead(into: Buffer, position: number): Promise<number> {
    return this.#disk.readAhead(this.#fd, into, position)
  }

  /**
   * Whether what was read may be a mixture, or no longer what is there. To be asked when all is read.
   * @param length how much was read
   * @throws where the file ends before its size and nobody shortened it, as in /proc: sent again it would be no better
   */
  async changed(length: number): Promise<boolean> {
    const before = this.#before
    const now = await this.#disk.fstat(this.#fd)
    const same = now.size === before.size && now.mtimeNs === before.mtimeNs && now.ctimeNs === before.ctimeNs
    if (same && length < this.entry.size) throw Object.assign(new Error('ends before its size'), { code: 'EIO' })
    return !same || this.#isFresh
  }

  /**
   * Many file systems count time in ticks of the kernel, 10 ms at most: after a change within the same tick the times
   * are the same. So what had changed just before we opened it counts as changed, as in git's index.
   */
  get #isFresh(): boolean {
    return Math.abs(this.#openedAt - Number(this.#before.ctimeMs)) < fresh
  }

  [Symbol.dispose](): void {
    this.#disk.close(this.#fd)
  }
}

/** In milliseconds: a tick, and that ours and the file system's clock are read one after the other. */
const fresh = 20

/** What it is an error to open that was a file before: nothing, a link, a socket. */
const gone = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']

async function openOrGone(disk: Disk, path: string | Buffer): Promise<number | undefined> {
  try {
    return await disk.open(path)
  } catch (error) {
    if (gone.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
