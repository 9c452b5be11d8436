import { deleteObject, owns } from './deletion.ts'
import { type ApiObject, type Job, type Pod, timestamp } from './objects.ts'
import { events, jobs, namespaces, pods, quotas, type Resource } from './resources.ts'
import type { Change, Store } from './store.ts'

/**
 * What Kubernetes' controllers do: Jobs end at their deadline, pods go with their owner, namespaces when they are empty.
 * Disposing of it ends it.
 */
export function startControllers(store: Store): Disposable {
  const deadlines = new Map<string, NodeJS.Timeout>()
  const stop = store.listen((change) => {
    if (change.resource === jobs) superviseJob(store, change, deadlines)
    // After those that listen too have heard: what is deleted here is news of its own.
    if (change.resource === jobs || change.resource === pods) setImmediate(collectGarbage, store, change)
    setImmediate(finishNamespaces, store)
  })
  return {
    [Symbol.dispose]: () => {
      stop()
      for (const timer of deadlines.values()) clearTimeout(timer)
    },
  }
}

function superviseJob(store: Store, { type, object }: Change, deadlines: Map<string, NodeJS.Timeout>): void {
  const job = object as Job
  const { uid } = job.metadata
  clearTimeout(deadlines.get(uid))
  deadlines.delete(uid)
  const { activeDeadlineSeconds: seconds } = job.spec
  if (type === 'DELETED' || seconds === undefined || job.status.conditions !== undefined) return
  const left = Date.parse(job.status.startTime ?? '') + seconds * 1000 - Date.now()
  // A timer cannot hold more than 24 days; nothing here lives that long.
  deadlines.set(uid, setTimeout(() => expire(store, job), Math.min(Math.max(left, 0), 2 ** 31 - 1)).unref())
}

function expire(store: Store, job: Job): void {
  const now = timestamp()
  const reason = { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  const condition = { status: 'True' as const, lastProbeTime: now, lastTransitionTime: now, ...reason }
  const failed = store.change(jobs, job, ({ status }) => {
    status.conditions = ['FailureTarget', 'Failed'].map((type) => ({ type, ...condition }))
  })
  if (failed?.spec.ttlSecondsAfterFinished === 0) {
    deleteObject(store, jobs, failed.metadata, { propagationPolicy: 'Background' })
  }
}

/** A pod whose owner is gone, or was never there. */
function collectGarbage(store: Store, { type, resource, object }: Change): void {
  const orphaned = resource === pods ? [object as Pod] : ownedBy(store, object)
  if (type !== (resource === pods ? 'ADDED' : 'DELETED')) return
  for (const pod of orphaned) {
    const { ownerReferences = [], namespace, deletionTimestamp } = pod.metadata
    const owners = ownerReferences.filter(({ kind }) => kind === 'Job')
    const gone =
      owners.length > 0 && owners.every(({ name, uid }) => store.get(jobs, { namespace, name })?.metadata.uid !== uid)
    if (gone && deletionTimestamp === undefined && store.get(pods, pod.metadata))
      deleteObject(store, pods, pod.metadata)
  }
}

function ownedBy(store: Store, owner: ApiObject): Pod[] {
  return store.list<Pod>(pods, owner.metadata.namespace).filter((pod) => owns(pod, owner.metadata.uid))
}

function finishNamespaces(store: Store): void {
  for (const namespace of store.list(namespaces)) {
    const { name, deletionTimestamp } = namespace.metadata
    if (deletionTimestamp === undefined) continue
    for (const resource of [jobs, quotas] as Resource[])
      store.list(resource, name).forEach((each) => store.remove(resource, each))
    const left = store.list<Pod>(pods, name)
    for (const pod of left.filter(({ metadata }) => !metadata.deletionTimestamp))
      deleteObject(store, pods, pod.metadata)
    if (store.list(pods, name).length > 0) continue
    for (const event of store.list(events, name)) store.remove(events, event)
    store.remove(namespaces, namespace)
  }
}
