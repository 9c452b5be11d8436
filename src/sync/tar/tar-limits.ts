import { ArchiveError } from './archive-error.ts'

/** How large an archive may be. What is more is an {@link ArchiveError}, and takes no memory. */
export interface TarLimits {
  /** Entries, and what extends their headers. */
  entries: number
  /** Of the archive, and of what hard links copy. */
  bytes: number
  /** Of one file. */
  fileBytes: number
  /** Of a path, or of the target of a link, in bytes. */
  pathLength: number
  /** Of all paths and targets: they stay in memory. */
  nameBytes: number
  /** Of what extends one header. */
  extensionBytes: number
  /** Entries that an extraction refuses: it remembers each. */
  refused: number
}

const mebibyte = 1024 ** 2
const gibibyte = 1024 ** 3

/** More than a command makes, and less than what fills a machine. */
export const defaultLimits: TarLimits = {
  entries: 1_000_000,
  bytes: 16 * gibibyte,
  fileBytes: 16 * gibibyte,
  // Linux's PATH_MAX.
  pathLength: 4096,
  nameBytes: 64 * mebibyte,
  extensionBytes: 64 * 1024,
  refused: 10_000,
}

const units: Readonly<Record<keyof TarLimits, string>> = {
  entries: 'entries',
  bytes: 'bytes',
  fileBytes: 'bytes in one file',
  pathLength: 'bytes in one path',
  nameBytes: 'bytes of paths',
  extensionBytes: 'bytes in one extended header',
  refused: 'entries that are refused',
}

/** Counts what an archive has of each. */
export class TarCount {
  readonly #limits: TarLimits
  readonly #counts = { entries: 0, bytes: 0, nameBytes: 0, refused: 0 }

  constructor(limits: Partial<TarLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits }
  }

  /** @throws {ArchiveError} with these it is too many */
  add(what: 'entries' | 'bytes' | 'nameBytes' | 'refused', more: number): void {
    this.#counts[what] += more
    this.check(what, this.#counts[what])
  }

  /** @throws {ArchiveError} it is too large */
  check(what: keyof TarLimits, value: number): void {
    if (value <= this.#limits[what]) return
    throw new ArchiveError('limit', `it has more than ${this.#limits[what]} ${units[what]}`)
  }
}
