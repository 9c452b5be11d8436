import type { WatchEvent } from './client.ts'

/** The part of every Kubernetes object that a watch looks at. */
export interface Identified {
  metadata?: { uid?: string; name?: string; namespace?: string; resourceVersion?: string }
}

/** The objects that a watch has told of and that are not gone. */
export interface KnownObjects<T> {
  /** Takes in an event of the server's. */
  note(event: WatchEvent<T>): void
  /** What changed since, seen from a complete list: the gone ones first, as a name may have a new object. */
  differences(list: readonly T[]): WatchEvent<T>[]
}

/** Starts from the objects that the caller knows. */
export function knownObjects<T>(initial: readonly T[]): KnownObjects<T> {
  let known = new Map(initial.map((object) => [identity(object), object]))
  return {
    note: ({ type, object }) => {
      if (type === 'DELETED') known.delete(identity(object))
      else known.set(identity(object), object)
    },
    differences: (list) => {
      const listed = new Map(list.map((object) => [identity(object), object]))
      const gone = [...known].filter(([id]) => !listed.has(id)).map(([, object]) => object)
      const changed = [...listed].filter(([id, object]) => version(object) !== version(known.get(id))).map(([, o]) => o)
      known = listed
      return [
        ...gone.map((object) => ({ type: 'DELETED' as const, object })),
        ...changed.map((object) => ({ type: 'MODIFIED' as const, object })),
      ]
    },
  }
}

function identity(object: unknown): string {
  const { uid, namespace, name } = (object as Identified).metadata ?? {}
  return uid ?? `${namespace}/${name}`
}

function version(object: unknown): string | undefined {
  return (object as Identified | undefined)?.metadata?.resourceVersion
}
