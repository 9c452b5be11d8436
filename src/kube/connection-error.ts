import { isIP } from 'node:net'
import { KuberunError } from '../errors.ts'
import { TooSlow } from './abort.ts'
import { showProxy } from './proxy.ts'
import { bareHost, showServer } from './server-url.ts'
import { ProxyRefusal, type TransportError } from './transport.ts'

/** The way to the API server, for messages. */
export interface Way {
  server: URL
  proxy: URL | undefined
}

interface Sentence {
  code?: 'credentials'
  why: string
  hint: string
}

const unreachable = 'is the cluster running, and is this the right context? try: kubectl cluster-info'

/** Words the failure of a connection, and what to do about it. */
export function connectionError(error: TransportError, way: Way): KuberunError {
  const cause = error.cause as NodeJS.ErrnoException
  const { code = 'connection', why, hint } = error instanceof TooSlow ? slow(error) : sentence(cause, way)
  const verb = code === 'credentials' ? 'cannot log in to' : 'cannot reach'
  return new KuberunError(code, `${verb} the API server at "${showServer(way.server)}": ${why}`, { cause, hint })
}

function proxySentence(error: NodeJS.ErrnoException, { proxy }: Way): Sentence | undefined {
  if (proxy === undefined) return undefined
  const name = `the proxy "${showProxy(proxy)}"`
  const hint = 'look at proxy-url in the kubeconfig and at HTTPS_PROXY and NO_PROXY'
  if (error instanceof ProxyRefusal) {
    const login = error.status === 407 ? 'it wants a user and password in its address: http://USER:PASSWORD@HOST' : hint
    return { why: `${name} refused: ${error.message}`, hint: login }
  }
  if (error.constructor.name === 'SocksClientError') return { why: `${name}: ${error.message}`, hint }
  if (error.message.startsWith('Proxy connection ended')) return { why: `${name} closed the connection`, hint }
  const dialling = error.syscall === 'connect' || error.syscall === 'getaddrinfo'
  return dialling ? { why: `${name}: ${plain(error)}`, hint } : undefined
}

function slow({ message }: TooSlow): Sentence {
  return { why: message, hint: `${unreachable}; --request-timeout sets the time` }
}

function sentence(error: NodeJS.ErrnoException, way: Way): Sentence {
  const { code = '' } = error
  const special = proxySentence(error, way) ?? certificateSentence(error, way) ?? tlsSentence(code, error)
  return special ?? { why: plain(error), hint: hintFor(code) }
}

function hintFor(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'look at the cluster’s server in the kubeconfig; a VPN or another DNS server may be missing'
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection broke: try again'
  return unreachable
}

/** What a system error means, in words. */
function plain(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'its name is not found',
    EAI_AGAIN: 'its name cannot be looked up now',
    ETIMEDOUT: 'the connection timed out',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'the network is unreachable',
    ECONNRESET: 'the connection was closed',
    EPIPE: 'the connection was closed',
  }
  return words[error.code ?? ''] ?? (error.message || error.code || 'unknown error')
}

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
])

function certificateSentence({ code = '', message }: NodeJS.ErrnoException, { server }: Way): Sentence | undefined {
  if (untrusted.has(code)) {
    const hint = 'certificate-authority(-data) of the cluster in the kubeconfig must be the CA that signed it'
    return { why: `its certificate is not trusted (${message})`, hint }
  }
  if (code === 'CERT_HAS_EXPIRED')
    return { why: 'its certificate has expired', hint: 'renew it, or set this clock right' }
  if (code === 'CERT_NOT_YET_VALID') return { why: 'its certificate is not valid yet', hint: 'set this clock right' }
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined
  const kind = isIP(bareHost(server)) === 0 ? 'name' : 'address'
  const hint = `use a server ${kind} that the certificate has, or set tls-server-name of the cluster in the kubeconfig`
  return { why: `its certificate is for another name (${message.replace(/^.*altnames: /, '')})`, hint }
}

// A failed handshake comes with a code of its own, or as EPROTO with OpenSSL's words in the message.
function tlsSentence(code: string, { message }: Error): Sentence | undefined {
  if (!code.startsWith('ERR_SSL') && code !== 'EPROTO') return undefined
  const words = `${code} ${message}`.toLowerCase().replaceAll('_', ' ')
  if (/alert.*(certificate|unknown ca|access denied)/.test(words)) {
    const hint =
      'client-certificate(-data) of the user in the kubeconfig is expired or of another cluster: log in again'
    return { code: 'credentials', why: 'it refused our client certificate', hint }
  }
  if (/wrong version number|packet length too long/.test(words)) {
    return { why: 'it speaks no TLS', hint: 'the cluster’s server in the kubeconfig may have to begin with http://' }
  }
  return { why: `TLS failed (${message.trim()})`, hint: unreachable }
}
