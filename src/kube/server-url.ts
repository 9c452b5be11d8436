import { KuberunError } from '../errors.ts'
import type { ClusterEntry } from './kubeconfig-types.ts'

/**
 * A cluster's `server` as a URL, its base path without a slash at the end. As for kubectl, a bare `host:port` is https
 * where TLS settings are given and http otherwise.
 * @throws {KuberunError} `kubeconfig`, naming the cluster and what is wrong
 */
export function parseServer(cluster: ClusterEntry, name: string, file: string): URL {
  const server = cluster.server
  const where = `cluster "${name}" in the kubeconfig "${file}"`
  if (typeof server !== 'string') throw new KuberunError('kubeconfig', `${where} has no server`)
  const hint = 'it must look like https://HOST:PORT or https://HOST/PATH'
  const wrong = (): KuberunError =>
    new KuberunError('kubeconfig', `the server "${server}" of ${where} is no URL of an API server`, { hint })
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(server) ? server : `${defaultScheme(cluster)}://${server}`)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') throw wrong()
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') throw wrong()
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

function defaultScheme(cluster: ClusterEntry): string {
  const ca = cluster['certificate-authority'] ?? cluster['certificate-authority-data']
  return ca !== undefined || cluster['insecure-skip-tls-verify'] === true ? 'https' : 'http'
}

/** The server as messages show it: without the slash that `URL` adds. */
export function showServer(server: URL): string {
  return server.href.replace(/\/$/, '')
}

/** A URL's host without the brackets of an IPv6 address. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
