import { notFound, wrongUid } from './errors.ts'
import { type ApiObject, type Namespace, type Pod, timestamp } from './objects.ts'
import { jobs, namespaces, pods, type Resource } from './resources.ts'
import type { Key, Store } from './store.ts'

/** `metav1.DeleteOptions`, as far as they are obeyed. */
export interface DeleteOptions {
  gracePeriodSeconds?: number
  preconditions?: { uid?: string }
  propagationPolicy?: string
}

/**
 * Deletes an object: a pod when its containers have ended, a namespace when it is empty.
 * @returns the object as it is now, or as it was last
 * @throws {StatusError} 404, 409
 */
export function deleteObject(store: Store, resource: Resource, key: Key, options: DeleteOptions = {}): ApiObject {
  const found = store.get(resource, key)
  if (found === undefined) throw notFound(resource, key.name)
  const wanted = options.preconditions?.uid
  if (wanted !== undefined && wanted !== found.metadata.uid) {
    throw wrongUid(resource, key.name, { wanted, found: found.metadata.uid })
  }
  if (resource === pods) return deletePod(store, found as Pod, options)
  if (resource === namespaces) return deleteNamespace(store, found as Namespace)
  if (resource === jobs && (options.propagationPolicy ?? 'Orphan') === 'Orphan') release(store, found)
  store.remove(resource, found)
  return found
}

function deletePod(store: Store, pod: Pod, { gracePeriodSeconds }: DeleteOptions): Pod {
  const over = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
  const asked = gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
  const grace = over || pod.spec.nodeName === undefined ? 0 : asked
  const { deletionGracePeriodSeconds: before = Number.POSITIVE_INFINITY } = pod.metadata
  if (grace >= before && grace > 0) return pod
  const deletionTimestamp = timestamp(new Date(Date.now() + grace * 1000))
  const marked = store.change(pods, pod, ({ metadata }) => {
    Object.assign(metadata, {
      deletionTimestamp,
      deletionGracePeriodSeconds: grace,
      generation: (metadata.generation ?? 1) + 1,
    })
  })
  if (grace === 0) store.remove(pods, pod)
  return marked ?? pod
}

function deleteNamespace(store: Store, namespace: Namespace): Namespace {
  if (namespace.metadata.deletionTimestamp !== undefined) return namespace
  const marked = store.change(namespaces, namespace, (draft) => {
    draft.metadata.deletionTimestamp = timestamp()
    draft.status = { phase: 'Terminating' }
  })
  return marked ?? namespace
}

/** What an object owns is left without an owner. */
function release(store: Store, owner: ApiObject): void {
  const { uid, namespace } = owner.metadata
  for (const pod of store.list<Pod>(pods, namespace).filter((each) => owns(each, uid))) {
    store.change(pods, pod, ({ metadata }) => {
      metadata.ownerReferences = metadata.ownerReferences?.filter((reference) => reference.uid !== uid) ?? []
    })
  }
}

/** Whether an object names this owner. */
export function owns({ metadata }: ApiObject, uid: string): boolean {
  return metadata.ownerReferences?.some((reference) => reference.uid === uid) ?? false
}
