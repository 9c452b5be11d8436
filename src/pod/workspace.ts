import { mapContainer, type RunPod } from './run-pod.ts'

/**
 * Where the synced folder's volume is mounted as a whole: `root` in it is the remote root, `stage` is where files are
 * written before they are renamed into it. One mount, so that a rename is one, and atomic.
 */
export const syncPath = '/.kuberun-sync'
const volumeName = 'kuberun-sync'

/** The same pod with a volume for a synced folder, which shows at the remote root; commands begin there. */
export function withWorkspace(pod: RunPod, remoteDir: string): RunPod {
  const mounts = [
    { name: volumeName, mountPath: syncPath },
    { name: volumeName, mountPath: remoteDir, subPath: 'root' },
  ]
  const changed = mapContainer(pod, (c) => ({
    ...c,
    workingDir: c.workingDir ?? remoteDir,
    volumeMounts: [...(c.volumeMounts ?? []), ...mounts],
  }))
  const volumes = [...(changed.spec.volumes ?? []), { name: volumeName, emptyDir: {} }]
  return { ...changed, spec: { ...changed.spec, volumes } }
}
