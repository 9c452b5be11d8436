import type { FileEntry } from './entry.ts'
import type { Put } from './findings.ts'
import { Refusal } from './refusal.ts'
import type { Said } from './pod-shell.ts'
import { failure, inCommands, type RemoteFiles } from './remote-files.ts'
import type { TarCount } from './tar-limits.ts'
import { type ReadEntry, readTar } from './tar-reader.ts'

/** A file that comes down. */
export type FilePut = Put & { entry: FileEntry }

export function isFilePut(step: { does: string }): step is FilePut {
  return step.does === 'put' && (step as Put).entry.type === 'file'
}

/** Brings the contents of files from the pod, in the order of the puts, in as few archives as commands can name. */
export class Fetch {
  readonly #files: RemoteFiles
  readonly #around: { count: TarCount; signal: AbortSignal }
  readonly #parts: string[][]
  #part: Part | undefined

  constructor(files: RemoteFiles, puts: readonly FilePut[], around: { count: TarCount; signal: AbortSignal }) {
    this.#files = files
    this.#around = around
    this.#parts = inCommands(puts.map(({ entry }) => entry.path))
  }

  /**
   * The next file, to be read before the one after it is asked for.
   * @throws {Refusal} it is not there as it was when it was listed
   * @throws {ArchiveError} what came is no archive
   */
  async next({ entry }: FilePut): Promise<ReadEntry> {
    if (this.#part?.paths.has(entry.path) !== true) await this.#nextPart()
    const part = this.#part
    const read = await part?.take(entry.path)
    if (read === undefined) throw new Refusal(reasonIn(part?.said) ?? 'it is not there any more')
    // Of a second name for the same file there is no more than that.
    if (read.entry.type === 'hard link') return read
    const { type, size, mtime } = read.entry
    const isSameTime = entry.mtime < 0n || mtime / second === entry.mtime / second
    if (type !== 'file' || size !== entry.size || !isSameTime) {
      throw new Refusal('it changes all the time')
    }
    // The listing has finer times; what a file has besides its permissions, whoever writes it is to know.
    const mode = entry.mode | (read.entry.mode & 0o6000)
    return { ...read, entry: { ...read.entry, mode, mtime: entry.mtime } }
  }

  /** Makes sure of the end of the last archive. */
  async end(): Promise<void> {
    await this.#part?.drain()
    this.#part = undefined
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#part?.close()
  }

  async #nextPart(): Promise<void> {
    await this.end()
    const paths = this.#parts.shift() ?? []
    this.#part = new Part(paths, (said) => readTar(this.#files.archive(paths, said), this.#around))
  }
}

const second = 1_000_000_000n

/** One archive. */
class Part {
  readonly paths: ReadonlySet<string>
  readonly said: Said = { stderr: '' }
  readonly #entries: AsyncGenerator<ReadEntry, void, undefined>
  /** Read, and not taken yet. */
  #ahead: ReadEntry | undefined

  constructor(paths: readonly string[], open: (said: Said) => AsyncGenerator<ReadEntry, void, undefined>) {
    this.paths = new Set(paths)
    this.#entries = open(this.said)
  }

  /** What tar leaves out is followed by what is asked for later. */
  async take(path: string): Promise<ReadEntry | undefined> {
    for (;;) {
      this.#ahead ??= await this.#read()
      const entry = this.#ahead
      if (entry !== undefined && !this.paths.has(entry.entry.path)) this.#ahead = undefined
      else if (entry?.entry.path !== path) return undefined
      else {
        this.#ahead = undefined
        return entry
      }
    }
  }

  async drain(): Promise<void> {
    while ((await this.#read()) !== undefined);
  }

  async close(): Promise<void> {
    await this.#entries.return()
  }

  /** What tar complains of is about single files, as long as its archive has an end. */
  async #read(): Promise<ReadEntry | undefined> {
    try {
      const next = await this.#entries.next()
      return next.done === true ? undefined : next.value
    } catch (error) {
      const { code = 0 } = this.said
      throw code === 0 ? error : failure('the files in the pod could not be read', this.said, error)
    }
  }
}

function reasonIn(said: Said | undefined): string | undefined {
  const line = said?.stderr.split('\n').find((text) => text !== '')
  return line === undefined ? undefined : `in the pod: ${line}`
}
