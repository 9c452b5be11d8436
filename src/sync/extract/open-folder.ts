import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs'
import { childPath, decodeName, localPath } from '../path.ts'
import { errnoOf } from './refusal.ts'

/** A folder of the local root that is open. What it does is at once: between two of its calls nothing of ours happens. */
export interface OpenFolder {
  /** From the root on. */
  readonly path: string
  /** Whether what is written in it is in it, though something else came into its place. */
  readonly isExact: boolean
  /** Where something in it is, for node:fs. Pass no name for the folder itself. */
  at(name?: string): string | Buffer
  /**
   * Whether the path still leads to it, from the root on, and through no link.
   * @throws an error of node:fs: the path is too long to tell
   */
  isThere(): boolean
  /**
   * Opens a folder in it.
   * @throws an error of node:fs: ENOENT, and ENOTDIR where it is a link or a file
   */
  open(name: string): OpenFolder
  stat(): BigIntStats
  names(): string[]
  close(): void
}

/** Whether a process can name what is in a folder that it has open: on Linux it can, `openat` for Node. */
export const hasDescriptors = process.platform === 'linux' && existsSync('/proc/self/fd')

/** Opens a local root, an absolute path without links in it. */
export function openRoot(path: string, byDescriptor = hasDescriptors): OpenFolder {
  return byDescriptor ? DescriptorFolder.root(path) : new PathFolder(undefined, { path: '', local: path })
}

interface OpenedRoot {
  fd: number
  /** Where it was. */
  path: string
}

/** Not in Node's constants. It opens a folder that may not be read. */
const pathOnly = 0o10000000
const flags = pathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * A folder by its descriptor. What is written in it is written in that one, though somebody may have put a link in its
 * place or in the place of one above it. That it was moved out of the root meanwhile, {@link isThere} tells.
 */
class DescriptorFolder implements OpenFolder {
  readonly path: string
  readonly isExact = true
  readonly #root: OpenedRoot
  readonly #fd: number

  static root(path: string): DescriptorFolder {
    const fd = openSync(path, flags)
    return new DescriptorFolder('', { root: { fd, path }, fd })
  }

  constructor(path: string, { root, fd }: { root: OpenedRoot; fd: number }) {
    this.path = path
    this.#root = root
    this.#fd = fd
  }

  at(name?: string): string | Buffer {
    const folder = `/proc/self/fd/${this.#fd}`
    return name === undefined ? folder : localPath(folder, name)
  }

  /** The kernel knows where the folder is now. Of the root too, which somebody may have moved. */
  isThere(): boolean {
    if (this.path === '') return true
    try {
      const place = placeOf(this.#fd)
      if (place.equals(Buffer.from(localPath(this.#root.path, this.path)))) return true
      return place.equals(Buffer.from(localPath(decodeName(placeOf(this.#root.fd)), this.path)))
    } catch (error) {
      // Not even the kernel could say where it is.
      if (errnoOf(error) === 'ENAMETOOLONG') throw error
      return false
    }
  }

  open(name: string): OpenFolder {
    return new DescriptorFolder(childPath(this.path, name), { root: this.#root, fd: openSync(this.at(name), flags) })
  }

  stat(): BigIntStats {
    return fstatSync(this.#fd, { bigint: true })
  }

  names(): string[] {
    return namesIn(this.at())
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function placeOf(fd: number): Buffer {
  return readlinkSync(`/proc/self/fd/${fd}`, 'buffer')
}

/**
 * A folder by its path, where there is nothing better: it is looked at before and after something is written. Between
 * these two somebody could put a link in its place; nothing from an archive can.
 */
class PathFolder implements OpenFolder {
  readonly path: string
  readonly isExact = false
  readonly #parent: PathFolder | undefined
  readonly #local: string
  readonly #stat: BigIntStats

  constructor(parent: PathFolder | undefined, { path, local }: { path: string; local: string }) {
    this.path = path
    this.#parent = parent
    this.#local = local
    this.#stat = folderStat(localPath(local, path))
  }

  at(name?: string): string | Buffer {
    return localPath(this.#local, name === undefined ? this.path : childPath(this.path, name))
  }

  isThere(): boolean {
    if (this.#parent?.isThere() === false) return false
    try {
      const { dev, ino } = folderStat(this.at())
      return dev === this.#stat.dev && ino === this.#stat.ino
    } catch {
      return false
    }
  }

  open(name: string): OpenFolder {
    return new PathFolder(this, { path: childPath(this.path, name), local: this.#local })
  }

  stat(): BigIntStats {
    return folderStat(this.at())
  }

  names(): string[] {
    return namesIn(this.at())
  }

  close(): void {}
}

function folderStat(path: string | Buffer): BigIntStats {
  const stat = lstatSync(path, { bigint: true })
  if (stat.isDirectory()) return stat
  throw Object.assign(new Error('no folder'), { code: 'ENOTDIR', syscall: 'lstat' })
}

function namesIn(path: string | Buffer): string[] {
  return readdirSync(path, { encoding: 'buffer' }).map(decodeName)
}
