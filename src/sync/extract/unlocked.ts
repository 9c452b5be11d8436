import { chmodSync } from 'node:fs'
import { lastName } from '../path.ts'
import type { OpenFolder } from './open-folder.ts'
import type { OpenTree } from './open-tree.ts'

/** What the owner of a folder needs to make something in it, or to remove it. */
export const owners = 0o700

/**
 * Folders that are open only while something changes in them: who is not root may not write in one of mode 0555, though it
 * came from the pod. The user's own are left closed.
 */
export class Unlocked {
  readonly #mayOpen: (path: string) => boolean
  readonly #isRoot = process.geteuid?.() === 0
  /** By path, the mode before. */
  readonly #modes = new Map<string, number>()

  constructor(mayOpen: (path: string) => boolean) {
    this.#mayOpen = mayOpen
  }

  unlock(folder: OpenFolder): void {
    if (this.#isRoot || !this.#mayOpen(folder.path)) return
    const mode = Number(folder.stat().mode) & 0o7777
    if ((mode & owners) === owners) return
    try {
      chmodSync(folder.at(), mode | owners)
    } catch {
      // What was to be done in it fails, and says so.
      return
    }
    if (!this.#modes.has(folder.path)) this.#modes.set(folder.path, mode)
  }

  /** Closes them again, those in a folder before it, but for those that get their mode otherwise, or are gone. */
  lock(tree: OpenTree, others: ReadonlyMap<string, unknown>): void {
    for (const [path, mode] of [...this.#modes].toSorted(([one], [other]) => (one < other ? 1 : -1))) {
      if (others.has(path)) continue
      try {
        const parent = tree.folderOf(path, { make: false })
        const folder = path === '' ? undefined : parent.open(lastName(path))
        chmodSync((folder ?? parent).at(), mode)
        folder?.close()
      } catch {
        // It is gone, or not where it was.
      }
    }
    this.#modes.clear()
  }
}
