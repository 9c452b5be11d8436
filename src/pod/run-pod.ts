import type { V1Container, V1ObjectMeta, V1Pod, V1PodSpec } from '@kubernetes/client-node'

/** The name of the container that the command runs in; `--overrides` may add others. */
export const containerName = 'kuberun'

/** A pod as we make it: its spec and our container in it are there. */
export type RunPod = V1Pod & { metadata: V1ObjectMeta & { name: string; namespace: string }; spec: V1PodSpec }

/** The pod with its own container changed. */
export function mapContainer(pod: RunPod, change: (container: V1Container) => V1Container): RunPod {
  const containers = pod.spec.containers.map((c) => (c.name === containerName ? change(c) : c))
  return { ...pod, spec: { ...pod.spec, containers } }
}
