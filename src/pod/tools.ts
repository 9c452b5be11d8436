import type { V1Container } from '@kubernetes/client-node'
import { holderCommand } from './holder.ts'
import { mapContainer, type RunPod } from './run-pod.ts'
import { toolsPath, toolsShell } from './shell.ts'

const volumeName = 'kuberun-tools'

/**
 * The same pod for an image without a shell: an init container copies a static BusyBox to a volume that our container
 * mounts. It asks for what our container asks for, so that quotas and admission treat both alike.
 */
export function withTools(pod: RunPod, options: { image: string; orphanTimeout: number }): RunPod {
  const mount = { name: volumeName, mountPath: toolsPath }
  const changed = mapContainer(pod, (c) => ({
    ...c,
    command: holderCommand(toolsShell, options.orphanTimeout),
    volumeMounts: [...(c.volumeMounts ?? []), mount],
  }))
  const main = changed.spec.containers.find((c) => c.command?.[0] === toolsShell.command[0])
  const init: V1Container = {
    name: volumeName,
    image: options.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/busybox', 'sh', '-c', installScript],
    volumeMounts: [mount],
    ...(main?.resources && { resources: main.resources }),
    ...(main?.securityContext && { securityContext: main.securityContext }),
  }
  return {
    ...changed,
    spec: {
      ...changed.spec,
      initContainers: [init, ...(changed.spec.initContainers ?? [])],
      volumes: [...(changed.spec.volumes ?? []), { name: volumeName, emptyDir: {} }],
    },
  }
}

const installScript = `/bin/busybox cp /bin/busybox ${toolsPath}/ && ${toolsPath}/busybox --install -s ${toolsPath}`
