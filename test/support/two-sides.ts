import assert from 'node:assert/strict'
import type { Entry } from '../../src/sync/entry.ts'
import { parentPath } from '../../src/sync/path.ts'
import type { Agreed } from '../../src/sync/reconcile/baseline.ts'
import { noteReturned, noteSent } from '../../src/sync/reconcile/note.ts'
import { placesToLookAt } from '../../src/sync/reconcile/places.ts'
import { type Policy, type Put, type Reconciled, reconcile, type Sides } from '../../src/sync/reconcile/reconcile.ts'

export type Item = Entry & { text: string }

/** Something that happens to a tree in memory. */
export interface Change {
  side: 'here' | 'there'
  does: 'write' | 'mkdir' | 'link' | 'remove' | 'rename' | 'chmod' | 'chown' | 'sly'
  path: string
  to: string
  text: string
}

/** A file tree in memory, with a clock and inodes of its own. */
export class ModelTree {
  readonly items = new Map<string, Item>()
  #now: bigint

  constructor(now: bigint) {
    this.#now = now
  }

  make({ does, path, to, text }: Change): void {
    const old = this.items.get(path)
    if (does === 'write') this.#fresh(path, { type: 'file', text })
    else if (does === 'mkdir' && old?.type !== 'folder') this.#fresh(path, { type: 'folder', text: '' })
    else if (does === 'link') this.#fresh(path, { type: 'link', text: text.slice(0, 1) })
    else if (does === 'remove') this.remove(path)
    else if (does === 'rename' && old !== undefined && !isIn(to, path) && !isIn(path, to)) {
      const moved = this.below(path).map((key) => [key, this.items.get(key)] as const)
      this.remove(path)
      this.clear(to)
      for (const [key, item] of moved) if (item !== undefined) this.put(to + key.slice(path.length), item)
    } else if (does === 'chmod' && old !== undefined && old.type !== 'link') {
      this.items.set(path, { ...old, mode: old.mode ^ 0o111, ...this.#times(old) })
    } else if (does === 'chown' && old?.type === 'file') this.items.set(path, { ...old, ...this.#times(old) })
    // Its size and mtime are what they were.
    else if (does === 'sly' && old?.type === 'file' && old.size === text.length) {
      this.items.set(path, { ...old, text, ...this.#times(old) })
    }
  }

  /** As a tar does it: with the mtime that it has on the other side. */
  put(path: string, item: Item): Item {
    const made = { ...item, path, ...(item.type === 'file' ? { ino: this.#tick(), ctime: this.#tick() } : {}) } as Item
    this.items.set(path, made)
    return made
  }

  remove(path: string): void {
    for (const key of this.below(path)) this.items.delete(key)
  }

  /** Makes room for something at a path. */
  clear(path: string): void {
    for (let up = parentPath(path); up !== ''; up = parentPath(up)) {
      if (this.items.get(up)?.type === 'folder') continue
      this.remove(up)
      this.#fresh(up, { type: 'folder', text: '' })
    }
    this.remove(path)
  }

  below(path: string): string[] {
    return [...this.items.keys()].filter((key) => isIn(key, path)).toSorted()
  }

  #fresh(path: string, { type, text }: { type: Entry['type']; text: string }): void {
    this.clear(path)
    const mtime = this.#tick()
    if (type === 'link') this.items.set(path, { type, path, target: text, mtime, text })
    else if (type === 'folder') this.items.set(path, { type, path, mode: 0o755, mtime, text })
    else {
      const stat = { size: text.length, mode: 0o644, mtime, ctime: this.#tick(), ino: this.#tick() }
      this.items.set(path, { type, path, ...stat, text })
    }
  }

  #times(item: Item) {
    return item.type === 'file' ? { ctime: this.#tick() } : {}
  }

  #tick(): bigint {
    this.#now += 1n
    return this.#now
  }
}

export function isIn(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`)
}

/** What is to be excluded: all that ends in `.o`, and folders called `ign`. */
export function isIgnored(path: string, isFolder: boolean): boolean {
  const parts = path.split('/')
  return parts.some((part, at) => part.endsWith('.o') || (part === 'ign' && (isFolder || at < parts.length - 1)))
}

/** As with `--return 'ign/**'`. */
export function comesBack(path: string, isFolder: boolean): boolean {
  return !isIgnored(path, isFolder) || isIn(path, 'ign')
}

/** Two trees in memory, and what brings changes from the one to the other. */
export class TwoSides {
  readonly here = new ModelTree(1000n)
  readonly there = new ModelTree(5_000_000_000n)
  readonly baseline = new Map<string, Agreed>()

  /** What goes. */
  get local(): Map<string, Entry> {
    return new Map([...this.here.items].filter(([path, { type }]) => !isIgnored(path, type === 'folder')))
  }

  get sides(): Sides {
    const known = { baseline: this.baseline, local: this.local, remote: this.there.items, comesBack }
    const { paths, folders } = placesToLookAt(known)
    const unsent = new Map<string, Entry>()
    for (const [path, item] of this.here.items) {
      const isToSee = paths.has(path) || [...folders].some((folder) => isIn(path, folder))
      if (isToSee && !known.local.has(path)) unsent.set(path, item)
    }
    return { ...known, unsent }
  }

  /** Says what is to be done, having hashed what has to be. */
  reconcile(policy: Policy, unstable: ReadonlySet<string> = new Set()): Reconciled {
    const { sides } = this
    const { toHash } = reconcile(sides, { policy, unstable })
    const text = (path: string) => [this.here, this.there].map(({ items }) => items.get(path)?.text)
    const contents = new Map(toHash.map((path) => [path, text(path)[0] === text(path)[1]]))
    const reconciled = reconcile(sides, { policy, unstable, contents })
    assert.deepEqual(reconciled.toHash, [])
    return reconciled
  }

  /** Does it, as strictly as a file system. */
  bring(reconciled: Reconciled): void {
    const [written, removed] = [new Map<string, Entry>(), new Set<string>()]
    for (const step of reconciled.steps) {
      if (step.does === 'put') written.set(step.to, this.#put(step))
      else {
        const { path } = step.entry
        assert.equal(this.here.items.get(path), step.entry, `${path} is to be removed, and another one is there`)
        assert.deepEqual(this.here.below(path), [path], `${path} is not empty`)
        this.here.remove(path)
        removed.add(path)
      }
    }
    noteReturned(this.baseline, reconciled, { written, removed })
  }

  #put({ entry, to, over }: Put): Item {
    const parent = parentPath(to)
    assert.ok(parent === '' || this.here.items.get(parent)?.type === 'folder', `${to} comes into no folder`)
    assert.equal(this.here.items.get(to), over, `${to} is not what it was said to be`)
    assert.ok(over === undefined || (over.type === 'folder') === (entry.type === 'folder'), `${to} is in the way`)
    const item = this.there.items.get(entry.path)
    assert.equal(item, entry)
    return this.here.put(to, entry as Item)
  }

  send(paths: readonly string[]): void {
    const sent: Entry[] = []
    const removed = paths.filter((path) => !this.here.items.has(path))
    for (const path of removed.toSorted().toReversed()) {
      if (this.there.below(path).length <= 1) this.there.remove(path)
    }
    for (const path of paths.toSorted()) {
      const item = this.here.items.get(path)
      if (item === undefined) continue
      if (this.there.items.get(path)?.type !== 'folder' || item.type !== 'folder') this.there.clear(path)
      this.there.put(path, item)
      sent.push(item)
    }
    noteSent(this.baseline, { sent, removed, scan: this.there.items })
  }
}
