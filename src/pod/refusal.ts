import { ApiError } from '../errors.ts'

const neededRole = `a Role with these rules would allow it:
  - {apiGroups: [""], resources: [pods], verbs: [get, list, watch, create, delete]}
  - {apiGroups: [""], resources: [pods/exec], verbs: [get, create]}`

/** "exceeded quota" passes when other pods end; a missing limit does not. */
export function isQuotaExceeded(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403 && /exceeded quota/.test(error.message)
}

/** The API server's refusal of a pod or an exec, with what the user can do about it. */
export function explainRefusal(error: unknown, namespace: string): unknown {
  if (!(error instanceof ApiError) || !error.failure.fromKubernetes) return error
  const hint = refusalHint(error, namespace)
  return hint === undefined ? error : new ApiError(error.message, error.failure, { cause: error, hint })
}

function refusalHint({ status, message }: ApiError, namespace: string): string | undefined {
  if (status === 404 && /namespaces? ".*" not found/.test(message)) {
    return `make it (kubectl create namespace ${namespace}), or choose another with -n`
  }
  if (status === 403 && /must specify/.test(message)) {
    return 'the namespace has a quota that demands it: give --limits and --requests, such as --limits=memory=128Mi'
  }
  if (status === 403 && /exceeded quota/.test(message))
    return 'end what is running there, ask for less, or ask for a larger quota'
  if (status === 403 && /violates PodSecurity/.test(message))
    return 'leave out of --overrides what it names, or use another namespace'
  if (status === 403 && /is being terminated/.test(message)) return 'choose another namespace with -n'
  if (status === 403 && /cannot impersonate/.test(message))
    return '--as needs the right to impersonate, which a ClusterRole gives'
  if (status === 403 && /cannot \w+ resource/.test(message)) return neededRole
  if (status === 403 && /LimitRange|(maximum|minimum) (cpu|memory|ephemeral-storage) usage/.test(message)) {
    return 'the namespace has a LimitRange: change --limits or --requests'
  }
  if (/failed calling webhook|admission webhook/.test(message))
    return 'a policy of this cluster refused it: ask who runs the cluster'
  return undefined
}

/** Turns what the API server did not do into our own sentence where it has none. */
export function cannotCreate(error: unknown, namespace: string): unknown {
  const explained = explainRefusal(error, namespace)
  if (!(explained instanceof ApiError)) return explained
  return new ApiError(`cannot create the pod: ${explained.message}`, explained.failure, {
    cause: error,
    ...(explained.hint !== undefined && { hint: explained.hint }),
  })
}
