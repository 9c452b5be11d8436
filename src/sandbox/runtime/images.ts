import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool } from './tools.ts'
import { makeBusyboxRoot, makeUserland } from './userland.ts'

/** What an image stands for here. */
export interface ImageRoot {
  /** Found anywhere in the image's name, as the pod gives it. */
  name: RegExp
  /** A folder of this machine with the image's files. Containers do not change it. */
  root: string
}

/** Finds images' roots: the table first; `busybox` and `alpine` are a BusyBox where there is one; the rest is this machine. */
export class Images {
  readonly #folder: string
  readonly #table: readonly ImageRoot[]
  readonly #made = new Map<string, Promise<string>>()

  /** @param folder where roots are made */
  constructor(folder: string, table: readonly ImageRoot[]) {
    this.#folder = folder
    this.#table = table
  }

  /** The folder that a container of the image starts from. */
  async rootOf(image: string): Promise<string> {
    const listed = this.#table.find(({ name }) => name.test(image))
    if (listed !== undefined) return listed.root
    const busybox = /(^|\/)(busybox|alpine)([:@]|$)/.test(image) ? await this.#busybox() : undefined
    return busybox ?? '/'
  }

  /** A root that is small enough to be copied for each container. */
  async smallRootOf(image: string): Promise<string> {
    const root = await this.rootOf(image)
    if (root !== '/') return root
    return (await this.#busybox()) ?? (await this.#make('userland', makeUserland))
  }

  async #busybox(): Promise<string | undefined> {
    const busybox = await findTool('busybox')
    return busybox === undefined ? undefined : this.#make('busybox', (root) => makeBusyboxRoot(root, busybox))
  }

  #make(name: string, fill: (root: string) => Promise<void>): Promise<string> {
    const make = async (): Promise<string> => {
      const root = join(this.#folder, name)
      await mkdir(root, { recursive: true })
      await fill(root)
      return root
    }
    const made = this.#made.get(name) ?? make()
    this.#made.set(name, made)
    return made
  }
}
