import http from 'node:http'
import https from 'node:https'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { bareHost } from './server-url.ts'

/** Connections to one server, kept open between requests; REST calls and WebSockets share them. */
export interface Agents {
  /** Reuses idle connections. */
  shared: http.Agent
  /**
   * Opens a new connection for each request: for what must not be sent twice, because a server may close an idle
   * connection at the moment in which we write to it.
   */
  fresh: http.Agent
  close(): void
}

// Shorter than any server's or load balancer's idle limit (60 s and more), so that we are the ones who close.
const idleLimit = 20_000

/**
 * Agents for a server, through a proxy where one is given. Idle connections do not keep the process alive.
 * The client certificate comes with each request, not from here: a proxy must not be shown it.
 * @param name what the server's certificate must be for
 */
export async function createAgents(server: URL, proxy?: URL, name = bareHost(server)): Promise<Agents> {
  const closing = new AbortController()
  const create = proxy === undefined ? direct(server) : await through({ proxy, server, name, signal: closing.signal })
  const shared = create({ keepAlive: true, timeout: idleLimit })
  const fresh = create({ keepAlive: false })
  return {
    shared,
    fresh,
    close: () => {
      shared.destroy()
      fresh.destroy()
      closing.abort()
    },
  }
}

type Create = (options: http.AgentOptions) => http.Agent

function direct(server: URL): Create {
  return (options) => (server.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options))
}

interface Way {
  proxy: URL
  server: URL
  name: string
  /** Ends connections to the proxy that are no connections of an agent's yet. */
  signal: AbortSignal
}

// The proxy libraries are loaded only where there is a proxy.
async function through(way: Way): Promise<Create> {
  const { proxy, signal } = way
  if (proxy.protocol.startsWith('socks')) {
    const { SocksProxyAgent } = await import('socks-proxy-agent')
    // It gets no time-out: it would end a stream that is merely quiet.
    return ({ keepAlive = false }) => behind(way, new SocksProxyAgent(proxy, { keepAlive }))
  }
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return (options) => behind(way, new HttpsProxyAgent(proxy, { ...options, signal }))
}

/** An agent of the proxy libraries: Node's own, with two settings that its types leave out. */
type ProxyAgent = http.Agent & { protocol: string; options?: object }

function behind({ server, name }: Way, agent: ProxyAgent): http.Agent {
  // Told here, the agent need not guess from the call stack which protocol the server speaks.
  agent.protocol = server.protocol
  Object.assign(agent.options ?? {}, {
    secureEndpoint: server.protocol === 'https:',
    // Without this, a server with an address for a name is compared with the proxy's name, or with "localhost". Set
    // here, because Node keeps no connection alive for which a request brings its own check.
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  })
  return agent
}
