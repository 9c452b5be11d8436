import { type ApiEvent, type Pod, timestamp } from './objects.ts'
import { events } from './resources.ts'
import type { Store } from './store.ts'

export interface Occurrence {
  reason: string
  message: string
  warning?: boolean
  /** `kubelet` where not given. */
  component?: string
  /** `spec.containers{c}` where it is about a container. */
  fieldPath?: string
}

/** How many events there may be: the oldest go, as they do by time on a real cluster. */
const mostEvents = 2000

/** Notes an event of a pod; one that happens again is counted. */
export function recordEvent(store: Store, pod: Pod, { component = 'kubelet', ...what }: Occurrence): void {
  const { name, namespace = '', uid } = pod.metadata
  const all = store.list<ApiEvent>(events, namespace)
  const same = all.find((event) => {
    const { involvedObject, reason, message } = event
    const about = involvedObject.uid === uid && involvedObject.fieldPath === what.fieldPath
    return about && reason === what.reason && message === what.message
  })
  const now = timestamp()
  if (same) {
    store.change(events, same, (draft) => Object.assign(draft, { count: draft.count + 1, lastTimestamp: now }))
    return
  }
  if (all.length >= mostEvents) store.remove(events, oldest(all))
  const { reason, message, warning, fieldPath } = what
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${nanoseconds().toString(16)}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, ...(fieldPath && { fieldPath }) },
    type: warning ? 'Warning' : 'Normal',
    reason,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    eventTime: null,
    source: { component, ...(component === 'kubelet' && { host: pod.spec.nodeName }) },
    reportingComponent: component,
    reportingInstance: '',
  }
  store.add(events, event as unknown as ApiEvent)
}

function oldest([first, ...rest]: readonly ApiEvent[]): ApiEvent {
  return rest.reduce((a, b) => (b.lastTimestamp < a.lastTimestamp ? b : a), first as ApiEvent)
}

/** Since 1970: by its name an event comes after those that were before it, as on a real cluster. */
function nanoseconds(): bigint {
  return BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e6))
}
