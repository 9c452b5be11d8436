import type http from 'node:http'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { KuberunError } from '../errors.ts'
import { type Agents, createAgents } from './agent.ts'
import type { Auth } from './credentials.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import type { Env } from './kubeconfig-files.ts'
import { readMaterial } from './material.ts'
import { proxyFor } from './proxy.ts'
import { rootCertificates } from './roots.ts'
import { bareHost } from './server-url.ts'

/** How to reach one API server: where it is, through what, and whom to trust. */
export interface Connection {
  server: URL
  proxy: URL | undefined
  agents: Agents
  /** The options of a request or WebSocket by which it reaches the server and shows the client certificate. */
  options(auth: Auth): RequestTarget
}

/** What `https.request()` and `ws` take alike. */
export interface RequestTarget {
  agent: http.Agent
  rejectUnauthorized?: boolean
  servername?: string
  secureContext?: SecureContext
  cert?: string
}

/**
 * Prepares the connection that a kubeconfig describes; nothing is dialled yet.
 * @throws {KuberunError} `kubeconfig` for a CA file or proxy that cannot be
 */
export async function prepareConnection(config: ClusterConfig, env: Env): Promise<Connection> {
  const { server, cluster } = config
  const proxy = proxyFor(server, cluster['proxy-url'], env)
  const agents = await createAgents(server, proxy, certificateName(config))
  if (server.protocol === 'http:') return { server, proxy, agents, options: () => ({ agent: agents.shared }) }
  const ca = await authorities(config)
  const base = { agent: agents.shared, ...verification(config) }
  const contexts = new WeakMap<Auth, SecureContext>()
  return {
    server,
    proxy,
    agents,
    options: (auth) => {
      const secureContext = contexts.get(auth) ?? newContext(ca, auth)
      contexts.set(auth, secureContext)
      // The agent tells connections apart by `cert`: a new certificate is never served by an old connection.
      return { ...base, secureContext, ...(auth.cert === undefined ? {} : { cert: auth.cert }) }
    },
  }
}

async function authorities(config: ClusterConfig): Promise<Buffer | string[] | undefined> {
  const { cluster, clusterFolder } = config
  if (cluster['insecure-skip-tls-verify'] === true) return undefined
  const ca = await readMaterial({
    data: cluster['certificate-authority-data'],
    file: cluster['certificate-authority'],
    folder: clusterFolder,
    field: 'certificate-authority',
  })
  return ca ?? rootCertificates()
}

function verification(config: ClusterConfig): Omit<RequestTarget, 'agent'> {
  const name = certificateName(config)
  return {
    rejectUnauthorized: config.cluster['insecure-skip-tls-verify'] !== true,
    // An address must not be sent as the name that TLS asks for.
    servername: isIP(name) === 0 ? name : '',
  }
}

function certificateName({ server, cluster }: ClusterConfig): string {
  return cluster['tls-server-name'] ?? bareHost(server)
}

function newContext(ca: Buffer | string[] | undefined, auth: Auth): SecureContext {
  try {
    const { cert, key } = auth
    return createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
  } catch (error) {
    const message = `the kubeconfig's certificates cannot be used: ${(error as Error).message}`
    const hint =
      'look at certificate-authority, client-certificate and client-key: PEM, and the key of that certificate'
    throw new KuberunError('kubeconfig', message, { cause: error, hint })
  }
}
