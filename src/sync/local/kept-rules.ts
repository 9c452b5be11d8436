import { type BigIntStats, lstatSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { byteText } from '../byte-text.ts'
import type { Entry } from '../entry.ts'
import { localPath } from '../path.ts'
import { isRulesFile } from '../rules/given-rules.ts'
import { readRulesHere } from '../rules/rules-file.ts'

/**
 * The rules that the user had where the pod's have come since. For what goes up, they count: otherwise whoever writes in
 * the pod could have anything sent there. Those that the user writes over the pod's count again.
 */
export class KeptRules {
  readonly #root: string
  readonly #isObeyed: boolean
  /** By path: the user's text, the pod's, and what tells its file from another in its place. */
  readonly #kept = new Map<string, { text: string; theirs: string; stamp: string }>()

  /** @param isObeyed false where ignore files do not count anyway */
  constructor(root: string, { isObeyed }: { isObeyed: boolean }) {
    this.#root = root
    this.#isObeyed = isObeyed
  }

  /** To be called before something of the pod's comes to these paths. @returns what {@link note} is to be told */
  async texts(paths: readonly string[]): Promise<Map<string, string>> {
    const texts = new Map<string, string>()
    if (!this.#isObeyed) return texts
    for (const path of paths.filter(isRulesFile)) {
      texts.set(path, this.at(path) ?? (await readRulesHere(posix.join(byteText(this.#root), byteText(path)))))
    }
    return texts
  }

  /** Notes that something of the pod's has come there, or that what was there is gone. @returns whether anything is new */
  note(texts: ReadonlyMap<string, string>, written: ReadonlyMap<string, Entry>, removed: ReadonlySet<string>): boolean {
    let isNew = false
    for (const [path, text] of texts) {
      const entry = written.get(path)
      if (entry === undefined && !removed.has(path)) continue
      isNew ||= !this.#kept.has(path)
      const stamp = entry?.type === 'file' ? stampOf(entry.ino, entry.ctime) : noFile
      this.#kept.set(path, { text, theirs: this.#content(path), stamp })
    }
    return isNew
  }

  /** What counts instead of the pod's file; undefined where there is none of it. */
  at(path: string): string | undefined {
    const kept = this.#kept.get(path)
    if (kept === undefined) return undefined
    const stamp = this.#stamp(path)
    // A chmod, or another name for it, is nothing that the user has written.
    if (stamp === kept.stamp || (stamp !== noFile && this.#content(path) === kept.theirs)) return kept.text
    this.#kept.delete(path)
    return undefined
  }

  #content(path: string): string {
    try {
      return this.#stamp(path) === noFile ? '' : readFileSync(localPath(this.#root, path), 'latin1')
    } catch {
      return ''
    }
  }

  #stamp(path: string): string {
    let stat: BigIntStats | undefined
    try {
      stat = lstatSync(localPath(this.#root, path), { bigint: true, throwIfNoEntry: false })
    } catch {
      // Where nobody can look, there are no rules either.
    }
    return stat?.isFile() === true ? stampOf(stat.ino, stat.ctimeNs) : noFile
  }
}

const noFile = 'no file'

function stampOf(ino: bigint, ctime: bigint): string {
  return `${ino} ${ctime}`
}
