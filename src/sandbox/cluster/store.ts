import { randomUUID } from 'node:crypto'
import { expired } from './errors.ts'
import { type ApiObject, timestamp } from './objects.ts'
import type { Resource } from './resources.ts'

/** What happened to an object, at which version. */
export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  version: number
  resource: Resource
  /** Not to be changed: it is shared. */
  object: ApiObject
  /** What it was; absent with ADDED. */
  before?: ApiObject
}

/** What names an object among those of its resource. */
export interface Key {
  namespace?: string | undefined
  name: string
}

/**
 * The objects of the cluster, by resource. Each change gives the next version; so many of the last are remembered for
 * watches. Objects are never changed in place.
 */
export class Store {
  #version = 1
  #forgotten = 1
  readonly #remembered: number
  readonly #objects = new Map<Resource, Map<string, ApiObject>>()
  readonly #changes: Change[] = []
  readonly #listeners = new Set<(change: Change) => void>()

  /** @param remembered how many changes a watch may go back */
  constructor(remembered = 4096) {
    this.#remembered = remembered
  }

  get version(): number {
    return this.#version
  }

  get<T extends ApiObject>(resource: Resource<T>, key: Key): T | undefined {
    return this.#of(resource).get(text(key)) as T | undefined
  }

  /** Sorted by namespace and name, as etcd has them. */
  list<T extends ApiObject>(resource: Resource<T>, namespace?: string): T[] {
    const all = [...this.#of(resource)].filter(([key]) => namespace === undefined || key.startsWith(`${namespace}/`))
    return all.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object as T)
  }

  /** Adds an object, which gets its uid, version and time. */
  add<T extends ApiObject>(resource: Resource<T>, object: T): T {
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: timestamp() }
    return this.#put(resource, { ...object, metadata }) as T
  }

  /**
   * Changes an object by a function that may write to its copy.
   * @returns undefined where that object, by its uid, is gone
   */
  change<T extends ApiObject>(resource: Resource<T>, object: T, edit: (draft: T) => void): T | undefined {
    const found = this.get<T>(resource, object.metadata)
    if (found?.metadata.uid !== object.metadata.uid) return undefined
    const draft = structuredClone(found)
    edit(draft)
    return this.#put(resource, draft, found) as T
  }

  remove(resource: Resource, object: ApiObject): void {
    const found = this.get(resource, object.metadata)
    if (found?.metadata.uid !== object.metadata.uid) return
    this.#of(resource).delete(text(object.metadata))
    this.#publish('DELETED', resource, found, found)
  }

  /** @throws {StatusError} 410 where the version is too old */
  since(version: number): readonly Change[] {
    if (version < this.#forgotten) throw expired(version, this.#forgotten)
    return this.#changes.filter((change) => change.version > version)
  }

  /** Tells every change from now on, before the call that made it returns; gives the function that ends it. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #of(resource: Resource): Map<string, ApiObject> {
    const found = this.#objects.get(resource) ?? new Map<string, ApiObject>()
    this.#objects.set(resource, found)
    return found
  }

  #put(resource: Resource, object: ApiObject, before?: ApiObject): ApiObject {
    const change = this.#publish(before ? 'MODIFIED' : 'ADDED', resource, object, before)
    return change.object
  }

  #publish(type: Change['type'], resource: Resource, object: ApiObject, before?: ApiObject): Change {
    const version = ++this.#version
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    if (type !== 'DELETED') this.#of(resource).set(text(object.metadata), stamped)
    const change: Change = { type, version, resource, object: stamped, ...(before && { before }) }
    this.#changes.push(change)
    if (this.#changes.length > this.#remembered) this.#forgotten = this.#changes.shift()?.version ?? 0
    for (const listener of this.#listeners) listener(change)
    return change
  }
}

function text({ namespace = '', name }: Key): string {
  return `${namespace}/${name}`
}
