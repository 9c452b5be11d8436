import { buffer } from 'node:stream/consumers'
import type { Entry } from './entry.ts'
import { isSame } from './local/changes.ts'
import { isWithin } from './path.ts'
import { type RemoteFiles, wordSize } from './remote/remote-files.ts'
import { isRulesFile } from './rules/given-rules.ts'
import { readTar } from './tar/tar-reader.ts'

/** What is longer holds no rules of anybody. */
const longest = 1024 ** 2
/** Of all of them that are read at once; the others take nothing out. */
const mostBytes = 64 * 1024 ** 2
/** Of one command. */
const mostWords = 400_000

interface Reading {
  idle: ReadonlySet<string>
  signal: AbortSignal
}

function* inParts(entries: Iterable<Entry>): Generator<string[]> {
  let part: string[] = []
  let [words, bytes] = [0, 0]
  for (const entry of entries) {
    bytes += entry.type === 'file' ? entry.size : 0
    if (bytes > mostBytes) break
    words += wordSize(entry.path)
    if (words > mostWords) {
      yield part
      part = []
      words = wordSize(entry.path)
    }
    part.push(entry.path)
  }
  if (part.length > 0) yield part
}

/** Ignore files that the command made or changed in the pod: what they name is not to come back. */
export class PodRules {
  readonly #files: RemoteFiles
  /** Of the user, as they were listed when they had gone there. */
  readonly #users = new Map<string, Entry>()
  #texts = new Map<string, { entry: Entry; text: string }>()

  constructor(files: RemoteFiles) {
    this.#files = files
  }

  /** Whether there are any. */
  get isEmpty(): boolean {
    return this.#texts.size === 0
  }

  /** Notes that what is there is the user's. */
  noteSent(paths: Iterable<string>, scan: ReadonlyMap<string, Entry>): void {
    for (const path of paths) {
      const entry = isRulesFile(path) ? scan.get(path) : undefined
      if (entry !== undefined) this.#users.set(path, entry)
    }
  }

  /**
   * Reads those that are new.
   * @param entries what is there
   * @param idle folders that nothing comes from anyway
   * @throws as {@link readTar}
   */
  async read(entries: ReadonlyMap<string, Entry>, { idle, signal }: Reading): Promise<void> {
    const texts = new Map<string, { entry: Entry; text: string }>()
    const unread = new Map<string, Entry>()
    for (const [path, entry] of entries) {
      if (entry.type !== 'file' || entry.size > longest || !isRulesFile(path) || isWithin(path, idle)) continue
      const [users, known] = [this.#users.get(path), this.#texts.get(path)]
      if (users !== undefined && isSame(users, entry)) continue
      if (known !== undefined && isSame(known.entry, entry)) texts.set(path, known)
      else unread.set(path, entry)
    }
    this.#texts = texts
    for (const paths of inParts(unread.values())) {
      const archive = this.#files.archive(paths, { stderr: '' })
      for await (const { entry, content } of readTar(archive, { signal })) {
        const listed = unread.get(entry.path)
        // A second name of one file has no content of its own.
        const same = entry.type === 'hard link' ? texts.get(entry.target)?.text : undefined
        if (listed === undefined || entry.size > longest) continue
        texts.set(entry.path, { entry: listed, text: same ?? (await buffer(content)).toString('latin1') })
      }
    }
  }

  /** What one of them says; undefined where there is none. */
  at(path: string): string | undefined {
    return this.#texts.get(path)?.text
  }
}
