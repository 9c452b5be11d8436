/** The collection of a namespace's pods: `/api/v1/namespaces/…/pods`. */
export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
}

/** One pod. */
export function podPath(namespace: string, name: string): string {
  return `${podsPath(namespace)}/${encodeURIComponent(name)}`
}

/** The exec subresource of a pod: a WebSocket. */
export function podExecPath(namespace: string, name: string): string {
  return `${podPath(namespace, name)}/exec`
}

/** The collection of a namespace's jobs: `/apis/batch/v1/namespaces/…/jobs`. */
export function jobsPath(namespace: string): string {
  return `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`
}

/** One job. */
export function jobPath(namespace: string, name: string): string {
  return `${jobsPath(namespace)}/${encodeURIComponent(name)}`
}

/** The collection of a namespace's events. */
export function eventsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`
}
