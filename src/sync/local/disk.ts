import {
  access,
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstat,
  fstatSync,
  lstat,
  lstatSync,
  open,
  openSync,
  read,
  readdir,
  readdirSync,
  readlink,
  readlinkSync,
  readSync,
} from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { decodeName } from '../path.ts'

type Path = string | Buffer
type Soon<T> = T | Promise<T>

export interface DiskOptions {
  /** From how many milliseconds a call on, on average, the calls go to the thread pool. */
  slowAfter?: number
  signal?: AbortSignal | undefined
}

/** A name in a folder, and what the folder says that it is. */
export interface Name {
  name: string
  isFolder: boolean
}

/** How long we keep the event loop to ourselves, in milliseconds. */
const slice = 5
/** How many calls take part in the average, and what one may weigh: a busy machine stops us for long, now and then. */
const remembered = 32
const heaviest = 1
/** How many calls go to the thread pool before we look again. */
const patience = 256
/** A file that became a FIFO must not hang us, and a link in its place is not what was listed. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const pooled = {
  access: promisify(access),
  readdir: promisify(readdir),
  lstat: promisify(lstat),
  readlink: promisify(readlink),
  open: promisify(open),
  fstat: promisify(fstat),
  read: promisify(read),
}

/**
 * Many short calls of a file system, which fail as those of node:fs do.
 *
 * They are made at once, in slices that leave the event loop its turns, as long as the file system answers from memory.
 * Measured on 2 cores with others at work on them, the bare calls for 10,000 files in 1,100 folders: to list them takes
 * 80 ms, and 80 ms of CPU, at once, against 500 ms and 400 ms of CPU on the thread pool, eight at a time; to read them
 * (58 MB) 200 ms and 170 ms of CPU against 900 ms and 920 ms, and with node:fs/promises 1,600 ms and 1,800 ms. To have
 * a thread make a call costs several times the call.
 *
 * A network or a cold disk is the other way round: there the calls go to the thread pool, where several wait together.
 */
export class Disk {
  readonly #slowAfter: number
  readonly #signal: AbortSignal | undefined
  #average = 0
  #patience = 0
  #sliceEnd = performance.now() + slice

  constructor(options: DiskOptions = {}) {
    this.#slowAfter = options.slowAfter ?? 0.15
    this.#signal = options.signal
  }

  /** Whether calls wait on the thread pool: then it pays to have several at a time. */
  get isSlow(): boolean {
    return this.#patience > 0
  }

  /**
   * To be awaited between the items of a long work: leaves the event loop its turn, where ours is over.
   * @throws the signal's reason when it aborted
   */
  turn(): Soon<void> {
    this.#signal?.throwIfAborted()
    return performance.now() < this.#sliceEnd ? undefined : this.#rest()
  }

  async names(path: Path): Promise<Name[]> {
    const list = await this.#call(
      () => readdirSync(path, { withFileTypes: true }),
      () => pooled.readdir(path, { withFileTypes: true }),
    )
    // Something that is not UTF-8 is among them, or a name that has this character in it. Rare: all once more.
    if (list.some(({ name }) => name.includes('\ufffd'))) return this.#rawNames(path)
    return list.map((item) => ({ name: item.name, isFolder: item.isDirectory() }))
  }

  lstat(path: Path): Soon<BigIntStats> {
    return this.#call(
      () => lstatSync(path, { bigint: true }),
      () => pooled.lstat(path, { bigint: true }),
    )
  }

  async readlink(path: Path): Promise<string> {
    const target = await this.#call(
      () => readlinkSync(path, 'buffer'),
      () => pooled.readlink(path, 'buffer'),
    )
    return decodeName(target)
  }

  /** Fails where we may not read. */
  access(path: Path): Soon<void> {
    return this.#call(
      () => accessSync(path, constants.R_OK),
      () => pooled.access(path, constants.R_OK),
    )
  }

  /** @returns a descriptor to read from. What it is must be asked: it may have become a FIFO, or a folder. */
  open(path: Path): Soon<number> {
    return this.#call(
      () => openSync(path, flags),
      () => pooled.open(path, flags),
    )
  }

  fstat(fd: number): Soon<BigIntStats> {
    return this.#call(
      () => fstatSync(fd, { bigint: true }),
      () => pooled.fstat(fd, { bigint: true }),
    )
  }

  /** @returns how many bytes were read; 0 at the end of the file */
  read(fd: number, into: Buffer, position: number): Soon<number> {
    return this.#call(
      () => readSync(fd, into, 0, into.length, position),
      () => this.readAhead(fd, into, position),
    )
  }

  /** As {@link read}, always on the thread pool: while it reads, somebody can send what was read before. */
  async readAhead(fd: number, into: Buffer, position: number): Promise<number> {
    const { bytesRead } = await pooled.read(fd, into, 0, into.length, position)
    return bytesRead
  }

  close(fd: number): void {
    closeSync(fd)
  }

  async #rawNames(path: Path): Promise<Name[]> {
    const options = { encoding: 'buffer', withFileTypes: true } as const
    const list: Dirent<Buffer>[] = await this.#call(
      () => readdirSync(path, options),
      () => pooled.readdir(path, options),
    )
    return list.map((item) => ({ name: decodeName(item.name), isFolder: item.isDirectory() }))
  }

  #call<T>(now: () => T, onThePool: () => Promise<T>): Soon<T> {
    if (this.#patience > 0) {
      this.#patience -= 1
      return onThePool()
    }
    const start = performance.now()
    try {
      return now()
    } finally {
      this.#weigh(performance.now() - start)
    }
  }

  #weigh(milliseconds: number): void {
    this.#average += (Math.min(milliseconds, heaviest) - this.#average) / remembered
    if (this.#average <= this.#slowAfter) return
    this.#average = 0
    this.#patience = patience
  }

  async #rest(): Promise<void> {
    await nextTurn()
    this.#sliceEnd = performance.now() + slice
    this.#signal?.throwIfAborted()
  }
}
