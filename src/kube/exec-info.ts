import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { KuberunError } from '../errors.ts'
import type { ExecCredentialsOptions } from './exec-credentials.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import { showServer } from './server-url.ts'

export const execVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
const configExtension = 'client.authentication.k8s.io/exec'

/**
 * What a plugin is told in `KUBERNETES_EXEC_INFO`, and whether it may ask the user.
 * See https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
 * @throws {KuberunError} `credentials` for an entry that no plugin can be run by
 */
export function execInfo({ config, plugin, rim }: ExecCredentialsOptions): { interactive: boolean; json: string } {
  const { apiVersion, command } = plugin
  if (typeof command !== 'string') {
    throw new KuberunError('credentials', `the exec entry of the user "${config.userName}" has no command`)
  }
  if (apiVersion === undefined || !execVersions.includes(apiVersion)) {
    const message = `the credential plugin "${command}" asks for the unsupported apiVersion "${apiVersion ?? ''}"`
    const hint = `update the plugin and log in again: it must be ${execVersions.join(' or ')}`
    throw new KuberunError('credentials', message, { hint })
  }
  const interactive = mayAsk(plugin.interactiveMode ?? 'IfAvailable', command, rim.interactive)
  const cluster = plugin.provideClusterInfo === true ? { cluster: clusterInfo(config) } : {}
  return {
    interactive,
    json: JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { ...cluster, interactive } }),
  }
}

function mayAsk(mode: string, command: string, terminal: boolean): boolean {
  if (mode === 'Never') return false
  if (mode === 'IfAvailable' || (mode === 'Always' && terminal)) return terminal
  if (mode !== 'Always') {
    const message = `the interactiveMode "${mode}" of the credential plugin "${command}" is none of Never, IfAvailable, Always`
    throw new KuberunError('credentials', message)
  }
  const message = `the credential plugin "${command}" has to ask you, but stdin is no terminal`
  throw new KuberunError('credentials', message, { hint: 'run it once from a terminal, or use another user' })
}

function clusterInfo({ server, cluster, clusterFolder }: ClusterConfig): Record<string, unknown> {
  const extension = cluster.extensions?.find(({ name }) => name === configExtension)?.extension
  const file = cluster['certificate-authority']
  const ca =
    cluster['certificate-authority-data'] ??
    (file === undefined ? undefined : readFileSync(resolve(clusterFolder, file)).toString('base64'))
  // `undefined` is left out of JSON.
  return {
    server: showServer(server),
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data': ca,
    'proxy-url': cluster['proxy-url'],
    'disable-compression': cluster['disable-compression'],
    config: extension,
  }
}
