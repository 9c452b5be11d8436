import { createHash } from 'node:crypto'
import { nanoid } from 'nanoid'
import { KuberunError } from '../../errors.ts'
import { quote } from '../../exec/quote.ts'
import type { Entry } from '../entry.ts'
import { encodePath } from '../path.ts'
import type { PodShell, Said } from './pod-shell.ts'
import { nothingNew, parseScan, type Scan, scanFunctions, tooLong } from './remote-scan.ts'

/** As much a listing, or a list of hashes, may be: of a million files or two. */
const mostOutput = 256 * 1024 ** 2
/** How many bytes the words of one command may have; Linux takes two million by default. */
const longestCommand = 500_000

/** Listings that are shorter are as soon told again. */
const largeOutput = 64 * 1024
interface Last {
  output: Buffer
  listing: RemoteListing
  /** What was asked for. */
  words: string
  code: number
  /** The one before was the same. */
  isIdle: boolean
}

/** As `news` has it. */
function digestOf({ output, code }: Last): string {
  return createHash('sha256').update(output).update(`${code}\n`).digest('hex')
}

/** A pattern of find's `-path` that is this path and no other. */
function globOf(path: string): string {
  return path.replace(/[*?[\]\\]/g, '\\$&')
}

/** A listing of the remote root. */
export interface RemoteListing extends Scan {
  /** Folders that nobody looked into. */
  unread: ReadonlySet<string>
  /** What was said of what is not listed, in the pod's words; of many, of the last. */
  complaints: readonly string[]
}

/** What there is in the remote root, as a shell in the pod tells. */
export class RemoteFiles {
  readonly #shell: PodShell
  /** The same for all listings: of a tree in which nothing has changed the next is the same, byte by byte. */
  readonly #token = nanoid()
  #last: Last | undefined
  /** Nothing is left out, and nothing kept there. */
  #isPlain = false

  constructor(shell: PodShell) {
    this.#shell = shell
  }

  /**
   * Lists all that is there.
   * @param unread folders that nobody need look into
   * @returns the same object as the last time where nothing has changed; what is in folders that may not be read is
   *   missing in it
   * @throws {KuberunError} `sync` where it could not be listed as a whole; what the connection was lost by
   */
  async scan(unread: ReadonlySet<string> = new Set()): Promise<RemoteListing> {
    const listing = await this.#scan(this.#isPlain ? new Set() : unread)
    if (listing !== undefined) return listing
    // A small BusyBox can leave nothing out, and on a full disk nothing can be kept.
    this.#isPlain = true
    return this.scan()
  }

  /** @returns undefined where it failed, and a plain one may not */
  async #scan(unread: ReadonlySet<string>): Promise<RemoteListing | undefined> {
    const said: Said = { stderr: '' }
    const last = this.#last
    const words = [this.#token, ...[...unread].map((path) => quote(globOf(`./${path}`)))].join(' ')
    const isAsBefore = last?.words === words
    // A large listing that was the same the last time probably is so again: that is told in fewer words.
    const isIdle = isAsBefore && last.isIdle && last.output.length > largeOutput && !this.#isPlain
    const command = isIdle ? `news ${digestOf(last)} ${words}` : inBlocks(`scan ${words}`)
    const output = await this.#collect(`${scanFunctions}\n${command}\n`, said, last?.output)
    if (isIdle && said.code === nothingNew) return last.listing
    const complaints = complaintsIn(said)
    if (complaints === undefined && (isIdle || unread.size > 0)) return undefined
    if (complaints === undefined) throw failure('the folder in the pod could not be listed', said)
    const isSame = isAsBefore && last.output === output && String(last.listing.complaints) === String(complaints)
    const listing = isSame ? last.listing : { ...parseScan(output, this.#token), complaints, unread }
    for (const path of tooLongIn(complaints)) listing.others.set(path, tooLong)
    this.#last = { output, listing, words, code: said.code ?? 0, isIdle: isSame }
    return listing
  }

  /**
   * @returns by path, what is there now of these paths
   * @throws {KuberunError} `sync` where that could not be found out of one of them
   */
  async look(paths: readonly string[]): Promise<Map<string, Entry>> {
    const found = new Map<string, Entry>()
    for (const some of inCommands(paths)) {
      const words = some.map((path) => quote(`./${path}`)).join(' ')
      const said: Said = { stderr: '' }
      const output = await this.#collect(`${scanFunctions}\nlook ${this.#token} ${words}\n`, said)
      if (said.code !== 0 && complaintsIn(said) === undefined)
        throw failure('files in the pod could not be looked at', said)
      for (const [path, entry] of parseScan(output, this.#token).entries) found.set(path, entry)
    }
    return found
  }

  /** @returns those of these folders that may not be read, or not be entered */
  async closed(folders: readonly string[]): Promise<Set<string>> {
    const closed = new Set<string>()
    for (const some of inCommands(folders)) {
      const words = some.map((path) => quote(`./${path}`)).join(' ')
      const script = `for p in ${words}; do [ -r "$p" ] && [ -x "$p" ] || printf '%s\\0' "$p"; done\n`
      const output = await this.#collect(script, { stderr: '' })
      const names = new Set(output.toString('latin1').split('\0'))
      for (const path of some) if (names.has(encodePath(`./${path}`).toString('latin1'))) closed.add(path)
    }
    return closed
  }

  /** One tar archive of these files, in their order. What is not there any more is missing in it, and complained of. */
  archive(paths: readonly string[], said: Said): AsyncGenerator<Buffer, void, undefined> {
    // GNU's would take `\\n` in a name for a line break; BusyBox's knows no such option, and does not need it.
    const literally = paths.some((path) => path.includes('\\'))
      ? 'u=--no-unquote; tar $u --version >/dev/null 2>&1 || u=\n'
      : 'u=\n'
    return this.#shell.run(`${literally}${inBlocks(`tar $u -cf - -- ${paths.map(quote).join(' ')}`)}\n`, said)
  }

  /** @returns by path, the SHA-256 of these files in hexadecimal; without those that it could not be found out of */
  async hash(paths: readonly string[]): Promise<Map<string, string>> {
    const hashes = new Map<string, string>()
    for (const some of inCommands(paths)) {
      const output = await this.#collect(`exec sha256sum -- ${some.map(quote).join(' ')}\n`, { stderr: '' })
      const lines = new Map(
        output
          .toString('latin1')
          .split('\n')
          .map((line) => [line.slice(66), line.slice(0, 64)] as const),
      )
      for (const path of some) {
        // A name with a line break, or a backslash, is not there as it is: nobody knows.
        const hash = lines.get(encodePath(path).toString('latin1'))
        if (hash !== undefined && /^[0-9a-f]{64}$/.test(hash)) hashes.set(path, hash)
      }
    }
    return hashes
  }

  /** @returns the SHA-256, in hexadecimal, of what a file begins with; of less where it is shorter */
  async hashOfBeginning(path: string, length: number): Promise<string> {
    const output = await this.#collect(`head -c ${length} <${quote(`./${path}`)} | sha256sum\n`, { stderr: '' })
    return output.toString('latin1').slice(0, 64)
  }

  /** @returns what a script writes: where that is like something, the same Buffer, so that it takes no room */
  async #collect(script: string, said: Said, like: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of this.#shell.run(script, said)) {
      const isLike = pieces.length === 0 && like.subarray(length, length + piece.length).equals(piece)
      if (!isLike && pieces.length === 0) pieces.push(like.subarray(0, length))
      if (!isLike) pieces.push(piece)
      length += piece.length
      if (length > mostOutput) throw new KuberunError('sync', 'the folder in the pod has too many files to be listed')
    }
    if (pieces.length > 0) return Buffer.concat(pieces)
    return length === like.length ? like : Buffer.from(like.subarray(0, length))
  }
}

/**
 * Tars and finds write piece by piece, each of which would be a message of its own: of small files, half as fast.
 * A shell that was killed has no code to tell: what it wrote may lack its end.
 * @returns a command that does the same in large blocks, and ends with the code of this one
 */
function inBlocks(command: string): string {
  return `exec 4>&1; c=$({ { ${command}; echo $? >&3; } | dd bs=65536 iflag=fullblock 2>/dev/null >&4; } 3>&1); exit "\${c:-137}"`
}

/**
 * What somebody has removed since, and BusyBox's find has its stat look at, is no failure, nor is a file in the place of a
 * folder, nor a folder that may not be read, or whose path is too long. One that was killed is.
 * @returns what it complains of that is there and not listed; undefined where it has failed
 */
function complaintsIn({ stderr, code }: Said): string[] | undefined {
  // BusyBox tells a name as it is, with line breaks that are in it.
  const lines = stderr
    .trimEnd()
    .split(/\n(?=(?:find|stat): )/)
    .filter((line) => line !== '')
  const isFine = code === 0 || (code === 1 && lines.length > 0 && lines.every((line) => harmless.test(line)))
  return isFine ? lines.filter((line) => telling.test(line)) : undefined
}

/** What GNU's find lists, and BusyBox's cannot name. */
function tooLongIn(complaints: readonly string[]): string[] {
  return complaints.flatMap((line) => /^find: \.\/(.+): File ?name too long$/s.exec(line)?.[1] ?? [])
}

const harmless = /: (No such file or directory|Not a directory|Permission denied|File ?name too long)$/
/** Those without which the listing would be taken for whole. */
const telling = /: (Permission denied|File ?name too long)$/

/** In parts that one command takes. */
function inCommands(paths: readonly string[]): string[][] {
  const parts: string[][] = []
  let left = 0
  for (const path of paths) {
    const size = wordSize(path)
    if (parts.length === 0 || size > left) {
      parts.push([])
      left = longestCommand
    }
    left -= size
    parts.at(-1)?.push(path)
  }
  return parts
}

/** What a path takes among the words of a command, in bytes: with its `./`, a pointer to it, and its end. */
export function wordSize(path: string): number {
  return encodePath(path).length + 11
}

/** What failed, in the pod's words. */
function failure(what: string, { stderr, code }: Said, cause?: unknown): KuberunError {
  const lines = stderr.split('\n').filter((line) => line !== '')
  const words = lines.length > 0 ? lines.slice(0, 3).join('; ') : `exit code ${code}`
  return new KuberunError('sync', `${what}: ${words}`, { cause })
}
