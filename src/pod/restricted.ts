import type { V1Container } from '@kubernetes/client-node'
import { ApiError } from '../errors.ts'
import { containerName, mapContainer, type RunPod } from './run-pod.ts'

/** The uid of distroless images' "nonroot": no passwd file gives it to somebody. */
export const restrictedUid = 65532

/** Whether the pod was refused by the Pod Security Standards' "restricted" profile. */
export function isRestrictedRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403 && /violates PodSecurity "restricted/.test(error.message)
}

/**
 * The same pod under the "restricted" Pod Security Standard. What the image or the overrides chose is kept; the uid that
 * the image runs as shows only when the kubelet starts it.
 *
 * @param uid for images that would run as root; without it the image's own is tried
 */
export function restrict(pod: RunPod, uid?: number): RunPod {
  const containers = pod.spec.containers.map(restrictContainer)
  const initContainers = pod.spec.initContainers?.map(restrictContainer)
  const securityContext = {
    seccompProfile: { type: 'RuntimeDefault' },
    ...pod.spec.securityContext,
    runAsNonRoot: true,
    ...(uid !== undefined && { runAsUser: pod.spec.securityContext?.runAsUser ?? uid }),
  }
  const restricted = {
    ...pod,
    spec: { ...pod.spec, containers, securityContext, ...(initContainers && { initContainers }) },
  }
  return uid === undefined ? restricted : mapContainer(restricted, withHome)
}

/** The uid that a pod's command runs as, where the manifest says. */
export function uidOf(pod: RunPod): number | undefined {
  const ours = pod.spec.containers.find((c) => c.name === containerName)
  return ours?.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser
}

function restrictContainer(container: V1Container): V1Container {
  return {
    ...container,
    securityContext: {
      ...container.securityContext,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    },
  }
}

/** A uid that the image does not know has `/` for its home, where it may not write. */
function withHome(container: V1Container): V1Container {
  const env = container.env ?? []
  return env.some((e) => e.name === 'HOME')
    ? container
    : { ...container, env: [...env, { name: 'HOME', value: '/tmp' }] }
}
