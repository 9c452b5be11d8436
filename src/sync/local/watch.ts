import { type FSWatcher, watch } from 'node:fs'
import { basename } from 'node:path'
import { localPath, parentPath } from '../path.ts'

/**
 * Watches folders of a local root, and tells in which something has changed: what, a listing has to find out.
 *
 * One watch for a folder and none for files: a tree of 10,000 files in 200 folders takes 200. The folders come from a
 * snapshot, so that what is ignored is never watched.
 */
export class Watcher implements Disposable {
  readonly #root: string
  readonly #onChange: (folder: string) => void
  readonly #onTrouble: (error: NodeJS.ErrnoException) => void
  readonly #watches = new Map<string, FSWatcher>()

  /** @param events.onTrouble a folder cannot be watched, for want of watches or because its file system has none */
  constructor(
    root: string,
    events: { onChange: (folder: string) => void; onTrouble: (error: NodeJS.ErrnoException) => void },
  ) {
    this.#root = root
    this.#onChange = events.onChange
    this.#onTrouble = events.onTrouble
  }

  /**
   * Watches these folders and no others.
   * @returns those that were not watched before: what happened in them until now, nobody has told
   */
  follow(folders: Iterable<string>): string[] {
    const wanted = new Set(folders)
    for (const folder of this.#watches.keys()) if (!wanted.has(folder)) this.#drop(folder)
    const added = [...wanted].filter((folder) => !this.#watches.has(folder))
    return added.filter((folder) => this.#add(folder))
  }

  [Symbol.dispose](): void {
    for (const folder of this.#watches.keys()) this.#drop(folder)
  }

  #add(folder: string): boolean {
    const path = Buffer.from(localPath(this.#root, folder))
    // As bytes, which need not be UTF-8.
    const name = basename(path.toString('latin1'))
    try {
      const watcher = watch(path, { encoding: 'buffer' }, (event, about) => {
        this.#onChange(folder)
        // The folder itself may have gone, and another one have come by its name.
        if (event !== 'rename' || about?.toString('latin1') !== name) return
        this.#dropAll(folder)
        this.#onChange(parentPath(folder))
      })
      watcher.on('error', () => this.#drop(folder))
      this.#watches.set(folder, watcher)
      return true
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!ofTheFolder.includes(code)) this.#onTrouble(error as NodeJS.ErrnoException)
      return false
    }
  }

  /** With the folders in it: where it was moved, their watches have moved along. */
  #dropAll(folder: string): void {
    const inside = folder === '' ? '' : `${folder}/`
    for (const key of this.#watches.keys()) if (key === folder || key.startsWith(inside)) this.#drop(key)
  }

  #drop(folder: string): void {
    this.#watches.get(folder)?.close()
    this.#watches.delete(folder)
  }
}

/** It is not there, or nothing of it can be sent: that is no trouble with watching. Asked for again it is tried again. */
const ofTheFolder = ['ENOENT', 'ENOTDIR', 'EACCES']
