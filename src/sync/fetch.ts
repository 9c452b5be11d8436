import { createHash, type Hash } from 'node:crypto'
import { KuberunError } from '../errors.ts'
import type { Entry, FileEntry } from './entry.ts'
import { Refusal } from './extract/refusal.ts'
import { isSame } from './local/changes.ts'
import { encodePath } from './path.ts'
import type { Put, Step } from './reconcile/findings.ts'
import type { Said } from './remote/pod-shell.ts'
import { type RemoteFiles, wordSize } from './remote/remote-files.ts'
import { ArchiveError } from './tar/archive-error.ts'
import type { TarCount } from './tar/tar-limits.ts'
import { type ReadEntry, readTar } from './tar/tar-reader.ts'

/** A file that comes down. */
export type FilePut = Put & { entry: FileEntry }

export function isFilePut(step: Step): step is FilePut {
  return step.does === 'put' && step.entry.type === 'file'
}

export interface FetchOptions {
  count: TarCount
  signal: AbortSignal
  /** What may have grown while it was read, and be whole all the same. */
  growing: ReadonlySet<string>
}

/** Of one archive: of what its command can name, and of what is lost where it breaks off. */
const [mostWords, mostBytes] = [500_000, 256 * 1024 ** 2]

/** Steps in parts, the files of each of which come in one archive. */
export function* inParts(steps: readonly Step[]): Generator<Step[]> {
  let part: Step[] = []
  let [words, bytes] = [0, 0]
  for (const step of steps) {
    const [word, size] = isFilePut(step) ? [wordSize(step.entry.path), step.entry.size] : [0, 0]
    if (part.length > 0 && (words + word > mostWords || bytes + size > mostBytes)) {
      yield part
      part = []
      words = 0
      bytes = 0
    }
    part.push(step)
    words += word
    bytes += size
  }
  if (part.length > 0) yield part
}

/** Brings the contents of files from the pod in one archive, in the order of the puts. */
export class Fetch {
  readonly #files: RemoteFiles
  readonly #puts: readonly FilePut[]
  readonly #options: FetchOptions
  readonly #paths: ReadonlySet<string>
  readonly #said: Said = { stderr: '' }
  readonly #entries: AsyncGenerator<ReadEntry, void, undefined>
  /** What has come of files that may have grown. */
  readonly #came = new Map<string, { size: number; hash: Hash }>()
  readonly #missing = new Set<string>()
  /** Read, and not taken yet. */
  #ahead: ReadEntry | undefined

  constructor(files: RemoteFiles, puts: readonly FilePut[], options: FetchOptions) {
    this.#files = files
    this.#puts = puts
    this.#options = options
    const paths = puts.map(({ entry }) => entry.path)
    this.#paths = new Set(paths)
    this.#entries = readTar(files.archive(paths, this.#said), options)
  }

  /**
   * The next file, to be read before the one after it is asked for.
   * @throws {Refusal} it is not there any more, or something else than what was listed
   * @throws {ArchiveError} what came is no archive
   */
  async next({ entry }: FilePut): Promise<ReadEntry> {
    const read = await this.#take(entry.path)
    if (read === undefined) {
      this.#missing.add(entry.path)
      throw new Refusal(missing)
    }
    // Of a second name for the same file there is no more than that.
    if (read.entry.type === 'hard link') return read
    const isGrowing = this.#options.growing.has(entry.path)
    if (read.entry.type !== 'file' || (!isGrowing && read.entry.size !== entry.size)) {
      throw new Refusal('in the pod: it is not the file any more that was listed')
    }
    // The listing has finer times; what a file has besides its permissions, whoever writes it is to know.
    const mode = entry.mode | (read.entry.mode & 0o6000)
    const content = isGrowing ? this.#hashed(read) : read.content
    return { content, entry: { ...read.entry, mode, mtime: entry.mtime } }
  }

  /** Makes sure of the end of the archive. */
  async end(): Promise<void> {
    while ((await this.#read()) !== undefined);
  }

  /** Why files that were missing were so, by path: what tar complains of may come after its archive. */
  get missing(): Map<string, string> {
    return new Map([...this.#missing].map((path) => [path, complaintOf(path, this.#said)]))
  }

  /**
   * @param now what is there after it was read
   * @returns the paths whose content is what is there; or what it begins with, where it has grown since
   */
  async whole(now: ReadonlyMap<string, Entry>): Promise<Set<string>> {
    const whole = new Set<string>()
    for (const { entry } of this.#puts) {
      const after = now.get(entry.path)
      if (after !== undefined && (await this.#isWhole(entry, after))) whole.add(entry.path)
    }
    return whole
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#entries.return()
  }

  async #isWhole(entry: FileEntry, after: Entry): Promise<boolean> {
    const came = this.#came.get(entry.path)
    if (isSame(entry, after) && (came === undefined || came.size === entry.size)) return true
    if (came === undefined || after.type !== 'file' || after.size < came.size) return false
    return (await this.#files.hashOfBeginning(entry.path, came.size)) === came.hash.digest('hex')
  }

  async *#hashed({ entry, content }: ReadEntry): AsyncGenerator<Buffer, void, undefined> {
    const hash = createHash('sha256')
    for await (const piece of content) {
      hash.update(piece)
      yield piece
    }
    this.#came.set(entry.path, { size: entry.size, hash })
  }

  /** What tar leaves out is followed by what is asked for later. */
  async #take(path: string): Promise<ReadEntry | undefined> {
    for (;;) {
      this.#ahead ??= await this.#read()
      const entry = this.#ahead
      if (entry !== undefined && !this.#paths.has(entry.entry.path)) this.#ahead = undefined
      else if (entry?.entry.path !== path) return undefined
      else {
        this.#ahead = undefined
        return entry
      }
    }
  }

  /** What tar complains of is about single files, as long as its archive has an end. */
  async #read(): Promise<ReadEntry | undefined> {
    try {
      const next = await this.#entries.next()
      return next.done === true ? undefined : next.value
    } catch (error) {
      const words = reasonIn(this.#said)
      if (!(error instanceof ArchiveError) || words === undefined) throw error
      throw new KuberunError('sync', `the files in the pod could not be read: ${words}`, { cause: error })
    }
  }
}

/** What tar said of a file. */
function complaintOf(path: string, { stderr }: Said): string {
  const name = encodePath(path).toString('latin1')
  const line = stderr.split('\n').find((text) => [`${name}:`, `${name}':`].some((part) => text.includes(part)))
  return line === undefined ? missing : `in the pod: ${line}`
}

const missing = 'in the pod: it is not there any more'

function reasonIn({ stderr }: Said): string | undefined {
  return stderr.split('\n').find((text) => text !== '')
}
