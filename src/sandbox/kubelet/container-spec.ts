import { join } from 'node:path'
import type { V1Container } from '@kubernetes/client-node'
import type { Pod } from '../cluster/objects.ts'
import type { ContainerSpec } from '../runtime.ts'
import { ConfigError } from './config-error.ts'
import { environment, expand } from './environment.ts'
import { mountsOf } from './volumes.ts'

/**
 * What a container of a pod is to the runtime.
 * @param folder the node's: each pod's volumes are in a folder of its uid
 * @throws {ConfigError} the kubelet cannot make it as it is described
 */
export async function containerSpec(
  pod: Pod,
  container: V1Container,
  folder: string,
): Promise<Omit<ContainerSpec, 'onOutput'>> {
  const { uid, gid } = idsOf(pod, container)
  const hostname = pod.spec.hostname ?? pod.metadata.name
  const env = environment(pod, container, hostname)
  const { workingDir, command = [], args = [], securityContext, stdin = false, tty = false } = container
  return {
    id: `${pod.metadata.uid}.${container.name}`,
    hostname,
    image: container.image ?? '',
    command: [...command, ...args].map((word) => expand(word, env)),
    env,
    ...(workingDir !== undefined && { workingDir }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    readOnlyRoot: securityContext?.readOnlyRootFilesystem ?? false,
    mounts: await mountsOf(join(folder, pod.metadata.uid), pod, container),
    stdin,
    tty,
  }
}

/** Images here run as root where the pod does not say otherwise. */
function idsOf(pod: Pod, container: V1Container): { uid: number | undefined; gid: number | undefined } {
  const own = { ...pod.spec.securityContext, ...container.securityContext }
  const { runAsUser: uid, runAsGroup: gid, runAsNonRoot } = own
  const { name, namespace, uid: podUid } = pod.metadata
  const where = `(pod: "${name}_${namespace}(${podUid})", container: ${container.name})`
  if (runAsNonRoot && uid === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`)
  if (runAsNonRoot && uid === undefined) {
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`)
  }
  return { uid, gid }
}
