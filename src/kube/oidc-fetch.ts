import { createSecureContext } from 'node:tls'
import { within } from './abort.ts'
import { createAgents } from './agent.ts'
import { readBody } from './body.ts'
import type { Env } from './kubeconfig-files.ts'
import { proxyFor } from './proxy.ts'
import { rootCertificates } from './roots.ts'
import { send } from './transport.ts'

/** The part of `fetch` that an OpenID Connect client asks for. */
export interface FetchInit {
  method: string
  headers: Record<string, string>
  body?: unknown
}

const patience = 30_000

/** A `fetch` that trusts a kubeconfig's issuer CA and goes through the proxy of the environment: Node's own does neither. */
export function issuerFetch(ca: Buffer | undefined, env: Env): (address: string, init: FetchInit) => Promise<Response> {
  return async (address, { method, headers, body }) => {
    const url = new URL(address)
    const agents = await createAgents(url, proxyFor(url, undefined, env))
    const secureContext = createSecureContext({ ca: ca ?? rootCertificates() })
    const text = body instanceof URLSearchParams || typeof body === 'string' ? body.toString() : undefined
    const target = url.protocol === 'https:' ? { agent: agents.fresh, secureContext } : { agent: agents.fresh }
    try {
      return await within({ milliseconds: patience, signal: undefined }, async (signal) => {
        const response = await send({ url, method, headers, body: text, target, signal })
        const kept = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)])
        return new Response(await readBody(response), { status: response.statusCode ?? 500, headers: kept })
      })
    } finally {
      agents.close()
    }
  }
}
