import type { V1VolumeMount } from '@kubernetes/client-node'
import { mapContainer, type RunPod } from './run-pod.ts'

/**
 * Where the synced folder's volume is mounted as a whole: `root` in it is the remote root, `stage` is where files are
 * written before they are renamed into it. One mount, so that a rename is one, and atomic.
 */
export const syncPath = '/.kuberun-sync'
const volumeName = 'kuberun-sync'

/**
 * The same pod with a volume for a synced folder, which shows at the remote root; commands begin there. A volume of that
 * name which it has already is the one: so `--overrides` can say how large it may grow, or what is to carry it.
 */
export function withWorkspace(pod: RunPod, remoteDir: string): RunPod {
  const mounts = [
    { name: volumeName, mountPath: syncPath },
    { name: volumeName, mountPath: remoteDir, subPath: 'root' },
  ]
  const paths = mounts.map(({ mountPath }) => mountPath)
  const isOurs = ({ name, mountPath }: V1VolumeMount) => name === volumeName && paths.includes(mountPath)
  const changed = mapContainer(pod, (c) => ({
    ...c,
    workingDir: c.workingDir ?? remoteDir,
    volumeMounts: [...(c.volumeMounts ?? []).filter((mount) => !isOurs(mount)), ...mounts],
  }))
  const volumes = changed.spec.volumes ?? []
  if (volumes.some(({ name }) => name === volumeName)) return changed
  return { ...changed, spec: { ...changed.spec, volumes: [...volumes, { name: volumeName, emptyDir: {} }] } }
}
