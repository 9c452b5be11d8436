import type { ApiError } from '../errors.ts'

/** An object of a run that could not be removed. */
export interface LeftBehind {
  kind: 'pod' | 'job'
  name: string
  namespace: string
  /** What the removal failed with. */
  error: unknown
  /** Whether the pod was to be kept. */
  keptPod: boolean
}

/** Tells what may be left, and the command that removes it. */
export function leftBehind({ kind, name, namespace, error, keptPod }: LeftBehind): string {
  const why = error instanceof Error ? error.message : String(error)
  // A guard takes what it owns with it when its deadline passes.
  const [threat, orphan] =
    kind === 'job' && keptPod ? [', and its end is that of the pod', ' --cascade=orphan'] : ['', '']
  return `${kind} "${name}" may be left behind${threat}: ${why}; remove it with: kubectl delete ${kind} -n ${namespace}${orphan} ${name}`
}

/** A guard that may neither be prolonged nor removed. */
export function doomed(error: ApiError): string {
  return `the Job that guards this run cannot be prolonged, and will end the run: ${error.message}`
}
