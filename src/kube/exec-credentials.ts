import type { CredentialSource, CredentialsRim, Identity } from './credentials.ts'
import { type PluginCredential, runPlugin } from './exec-plugin.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import type { ExecEntry } from './kubeconfig-types.ts'

export interface ExecCredentialsOptions {
  config: ClusterConfig
  plugin: ExecEntry
  rim: CredentialsRim
}

// A credential that ends within this time is replaced before it is used: a request takes a while too.
const margin = 10_000

/**
 * Credentials that a program gives, kept until they end or are refused. However many requests wait, the program runs
 * once.
 */
export function execCredentials(options: ExecCredentialsOptions): CredentialSource {
  const closing = new AbortController()
  let current: PluginCredential | undefined
  let pending: Promise<PluginCredential> | undefined
  const renew = async (): Promise<PluginCredential> => {
    current = await runPlugin({ ...options, signal: closing.signal })
    return current
  }
  return {
    get: async () => {
      if (current !== undefined && Date.now() < current.expires - margin) return current.identity
      pending ??= renew().finally(() => {
        pending = undefined
      })
      return (await pending).identity
    },
    refused: (identity: Identity) => {
      if (current?.identity === identity) current = undefined
      return true
    },
    close: () => closing.abort(),
  }
}
