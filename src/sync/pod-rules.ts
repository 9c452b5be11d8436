import { buffer } from 'node:stream/consumers'
import type { Entry } from './entry.ts'
import { isSame } from './local/changes.ts'
import type { RemoteFiles } from './remote/remote-files.ts'
import { isRulesFile } from './rules/given-rules.ts'
import { readTar } from './tar/tar-reader.ts'

/** What is longer holds no rules of anybody. */
const longest = 1024 ** 2
/** Of all of them. */
const mostBytes = 64 * 1024 ** 2

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
   * @throws as {@link readTar}
   */
  async read(entries: ReadonlyMap<string, Entry>, signal: AbortSignal): Promise<void> {
    const texts = new Map<string, { entry: Entry; text: string }>()
    const unread = new Map<string, Entry>()
    for (const [path, entry] of entries) {
      if (entry.type !== 'file' || entry.size > longest || !isRulesFile(path)) continue
      const [users, known] = [this.#users.get(path), this.#texts.get(path)]
      if (users !== undefined && isSame(users, entry)) continue
      if (known !== undefined && isSame(known.entry, entry)) texts.set(path, known)
      else unread.set(path, entry)
    }
    this.#texts = texts
    if (unread.size === 0) return
    const archive = this.#files.archive([...unread.keys()], { stderr: '' })
    for await (const { entry, content } of readTar(archive, {
      signal,
      limits: { fileBytes: longest, bytes: mostBytes },
    })) {
      const listed = unread.get(entry.path)
      if (listed !== undefined)
        texts.set(entry.path, { entry: listed, text: (await buffer(content)).toString('latin1') })
    }
  }

  /** What one of them says; undefined where there is none. */
  at(path: string): string | undefined {
    return this.#texts.get(path)?.text
  }
}
