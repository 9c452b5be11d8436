import tls from 'node:tls'

/**
 * Whom to trust where a cluster names no CA: Node's own list, and this machine's as kubectl has it. Company CAs are
 * installed there.
 */
export function rootCertificates(): string[] {
  return [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
}
