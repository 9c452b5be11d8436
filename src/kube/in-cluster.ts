import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterConfig } from './kubeconfig.ts'
import type { Env } from './kubeconfig-files.ts'

/** Where Kubernetes mounts a pod's service account. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The cluster that we run in as a pod, by the service account that Kubernetes mounts there; `undefined` when we are in
 * no pod. The token stays a file, because the kubelet rotates it.
 */
export async function inClusterConfig(env: Env, folder: string): Promise<ClusterConfig | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST']
  const tokenFile = join(folder, 'token')
  if (host === undefined || host === '' || !(await exists(tokenFile))) return undefined
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '')
  const server = new URL(
    `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
  )
  server.pathname = ''
  return {
    server,
    context: '',
    namespace: namespace.trim() || 'default',
    cluster: { server: server.href, 'certificate-authority': join(folder, 'ca.crt') },
    user: { tokenFile },
    userName: 'service account',
    clusterFolder: folder,
    userFolder: folder,
    userFile: '',
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
