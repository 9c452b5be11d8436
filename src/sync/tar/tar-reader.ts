import { encodePath } from '../path.ts'
import { ArchiveError, damaged } from './archive-error.ts'
import { ByteSource } from './byte-source.ts'
import { type HeaderBlock, isZero, parseHeader } from './header-block.ts'
import { parsePax } from './pax.ts'
import { type Extensions, type TarEntry, tarEntry } from './tar-entry.ts'
import { blockLength, paddingOf } from './tar-header.ts'
import { TarCount, type TarLimits } from './tar-limits.ts'

export interface TarReaderOptions {
  /** Those that are not given are the default ones. */
  limits?: Partial<TarLimits>
  /** Counts instead of `limits`, where somebody else counts too. */
  count?: TarCount
  signal?: AbortSignal | undefined
}

/** An entry with its content. */
export interface ReadEntry {
  entry: TarEntry
  /**
   * To be read, if at all, before the next entry is asked for: what is left is skipped then. A Buffer is valid until the
   * next one is asked for.
   */
  content: AsyncIterable<Buffer>
}

/**
 * Reads a tar archive as it comes, one that GNU tar or BusyBox made: of the formats v7, ustar, gnu, oldgnu and posix.
 * Nothing is read ahead, so whoever takes a content slowly slows the archive down.
 *
 * Names are raw bytes, in the encoding of paths. What of an archive two programs could understand in two ways is damage:
 * a name that is said twice, two sizes, bytes after its end. Memory: one Buffer of the archive, and one extended header.
 *
 * @param archive Buffers of any length, each of which may be used again when the next is asked for
 * @throws {ArchiveError} it is damaged, larger than the limits, or does not have its end
 * @throws the signal's reason when it aborts, and what the archive throws
 */
export async function* readTar(
  archive: AsyncIterable<Buffer>,
  options: TarReaderOptions = {},
): AsyncGenerator<ReadEntry, void, undefined> {
  const count = options.count ?? new TarCount(options.limits)
  const source = new ByteSource(archive, { count, signal: options.signal })
  const reading = { source, count, extensions: { global: new Map() } }
  try {
    for (let header = await nextHeader(source); header !== undefined; header = await nextHeader(source)) {
      count.add('entries', 1)
      if (await readExtension(header, reading)) continue
      const entry = tarEntry(header, reading.extensions)
      reading.extensions = { global: reading.extensions.global }
      checkEntry(entry, count)
      const content = new EntryContent(source, entry.size)
      yield { entry, content: content.pieces() }
      await content.drain()
    }
    if (hasExtension(reading.extensions)) throw damaged('it ends with the header of nothing')
    await readPadding(source)
  } finally {
    await source.close()
  }
}

interface Reading {
  source: ByteSource
  count: TarCount
  extensions: Extensions
}

/** @returns undefined at the end, which is two blocks of zeros */
async function nextHeader(source: ByteSource): Promise<HeaderBlock | undefined> {
  const block = await source.exactly(blockLength)
  if (!isZero(block)) return parseHeader(block)
  if (!isZero(await source.exactly(blockLength))) throw damaged('it has a block of zeros in its middle')
  return undefined
}

/** @returns whether the header is one that says more of the next, or of all that follow */
async function readExtension(header: HeaderBlock, reading: Reading): Promise<boolean> {
  const { extensions } = reading
  if (header.flag === 'L') extensions.longName = await readLong(header, extensions.longName, reading)
  else if (header.flag === 'K') extensions.longTarget = await readLong(header, extensions.longTarget, reading)
  else if (header.flag === 'g') {
    extensions.global = new Map([...extensions.global, ...parsePax(await readContent(header, reading))])
  } else if (header.flag === 'x') {
    if (extensions.pax !== undefined) throw damaged('an entry in it has two extended headers')
    extensions.pax = parsePax(await readContent(header, reading))
  } else return false
  return true
}

function hasExtension({ longName, longTarget, pax }: Extensions): boolean {
  return longName !== undefined || longTarget !== undefined || pax !== undefined
}

/** A name, or a target, with the NUL at its end. */
async function readLong(header: HeaderBlock, earlier: Buffer | undefined, reading: Reading): Promise<Buffer> {
  if (earlier !== undefined) throw damaged('an entry in it has two long names')
  const content = await readContent(header, reading)
  return Buffer.from(content.at(-1) === 0 ? content.subarray(0, -1) : content)
}

async function readContent({ size }: HeaderBlock, { source, count }: Reading): Promise<Buffer> {
  count.check('extensionBytes', size)
  const whole = await source.exactly(size + paddingOf(size))
  return whole.subarray(0, size)
}

function checkEntry(entry: TarEntry, count: TarCount): void {
  count.check('fileBytes', entry.size)
  for (const name of [entry.path, entry.target]) {
    const { length } = encodePath(name)
    count.check('pathLength', length)
    count.add('nameBytes', length)
  }
}

class EntryContent {
  readonly #source: ByteSource
  #left: number
  #padding: number

  constructor(source: ByteSource, size: number) {
    this.#source = source
    this.#left = size
    this.#padding = paddingOf(size)
  }

  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) {
      const piece = await this.#source.some(this.#left)
      this.#left -= piece.length
      yield piece
    }
  }

  /** Reads what nobody wanted, to the next header. */
  async drain(): Promise<void> {
    while (this.#left > 0) this.#left -= (await this.#source.some(this.#left)).length
    while (this.#padding > 0) this.#padding -= (await this.#source.some(this.#padding)).length
  }
}

/** Tars fill up with zeros what they write at once, 10 KiB by default. */
async function readPadding(source: ByteSource): Promise<void> {
  let length = 0
  while (!(await source.isAtEnd())) {
    const piece = await source.some(blockLength)
    if (!isZero(piece)) throw damaged('something follows its end')
    length += piece.length
    if (length > mostPadding) throw new ArchiveError('limit', 'its end does not end')
  }
}

const mostPadding = 1024 * 1024
