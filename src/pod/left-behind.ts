import type { ApiError } from '../errors.ts'
import type { Target } from '../exec/exec.ts'

/** An object of a run that could not be removed. */
export interface LeftBehind {
  kind: 'pod' | 'job'
  name: string
  namespace: string
  /** What the removal failed with. */
  error: unknown
  /** Whether the pod was to be kept. */
  podIsKept: boolean
}

/** Tells what may be left, and the command that removes it. */
export function leftBehind({ kind, name, namespace, error, podIsKept }: LeftBehind): string {
  const why = error instanceof Error ? error.message : String(error)
  // A guard takes what it owns with it when its deadline passes.
  const [threat, orphan] =
    kind === 'job' && podIsKept ? [', and its end is that of the pod', ' --cascade=orphan'] : ['', '']
  return `${kind} "${name}" may be left behind${threat}: ${why}; remove it with: kubectl delete ${kind} -n ${namespace}${orphan} ${name}`
}

/** A guard that may neither be prolonged nor removed. */
export function doomed(error: ApiError): string {
  return `the Job that guards this run cannot be prolonged, and will end the run: ${error.message}`
}

/** A pod that the user wanted to keep. */
export interface KeptPod {
  target: Target
  /** Whether its container has been told to go on without us. */
  lasts: boolean
}

/** Tells where it is, and how to get rid of it. */
export function keptPod({ target: { namespace, pod, container }, lasts }: KeptPod): string {
  const enter = `kubectl exec -it -n ${namespace} ${pod} -c ${container} -- sh`
  const remove = `kubectl delete pod -n ${namespace} ${pod}`
  const life = lasts ? `runs until the deadline: ${enter}` : 'has ended or soon will, as it could not be told to stay'
  return `pod "${pod}" is kept until you remove it with "${remove}"; its container ${life}`
}
