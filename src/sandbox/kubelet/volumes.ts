import { chmod, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { V1Container, V1Volume } from '@kubernetes/client-node'
import type { Pod } from '../cluster/objects.ts'
import type { Mount } from '../runtime.ts'

/** A volume that cannot be mounted; the message is that of the kubelet's event. */
export class MountError extends Error {
  override readonly name = 'MountError'
}

/**
 * Makes a pod's volumes: each emptyDir is a folder.
 * @throws {MountError}
 */
export async function makeVolumes(folder: string, pod: Pod): Promise<void> {
  for (const volume of pod.spec.volumes ?? []) {
    const problem = problemOf(volume)
    if (problem) throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${problem}`)
    await makeFolder(join(folder, volume.name))
  }
}

/** What a container mounts. */
export async function mountsOf(folder: string, pod: Pod, container: V1Container): Promise<Mount[]> {
  return Promise.all(
    (container.volumeMounts ?? []).map(async ({ name, mountPath, subPath = '', readOnly = false }) => {
      const volume = pod.spec.volumes?.find((each) => each.name === name)
      const from = volume?.hostPath?.path ?? join(folder, name, join('/', subPath))
      if (!volume?.hostPath) await makeFolder(from)
      return { from, at: mountPath, readOnly }
    }),
  )
}

function problemOf({ name: _, ...source }: V1Volume): string | undefined {
  const { configMap, secret } = source
  if (configMap && !configMap.optional) return `configmap "${configMap.name}" not found`
  if (secret && !secret.optional) return `secret "${secret.secretName}" not found`
  const [kind = 'emptyDir'] = Object.keys(source)
  const known = ['emptyDir', 'hostPath', 'configMap', 'secret'].includes(kind)
  return known ? undefined : `the sandbox has no volumes of type ${kind}`
}

/** Any uid may write to it. */
async function makeFolder(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  await mkdir(path, { recursive: true })
  await chmod(path, 0o777)
}
