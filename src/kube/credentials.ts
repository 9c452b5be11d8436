import { KuberunError } from '../errors.ts'
import { execCredentials } from './exec-credentials.ts'
import { impersonationHeaders } from './impersonation.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import type { Env } from './kubeconfig-files.ts'
import { oidcCredentials } from './oidc.ts'
import { certificateCredentials, tokenCredentials } from './static-credentials.ts'

/** Who we are, for one request. The same object as long as nothing changed. */
export interface Auth {
  /** `Authorization`, and `Impersonate-*` where asked for. */
  headers: Readonly<Record<string, string | string[]>>
  /** PEM. */
  cert?: string
  key?: string
}

/** What one source of credentials contributes. */
export interface Identity {
  authorization?: string
  cert?: string
  key?: string
}

/** One way to prove who we are. */
export interface CredentialSource {
  /** The current identity; at most one run or request under it at a time. */
  get(): Promise<Identity>
  /** The server refused an identity: whether a new one may be had. Safe to call for one that is already replaced. */
  refused(identity: Identity): boolean
  /** Ends what still runs. */
  close?(): void
}

export interface Credentials {
  get(): Promise<Auth>
  refused(auth: Auth): boolean
  close(): void
}

export interface CredentialsRim {
  env: Env
  /** Whether a plugin may ask the user on the terminal. */
  interactive: boolean
}

/** Puts together what a kubeconfig's user says: client certificate, token, plugin, impersonation. */
export function createCredentials(config: ClusterConfig, rim: CredentialsRim): Credentials {
  const sources = [certificateCredentials(config), bearer(config, rim)].filter((source) => source !== undefined)
  const impersonation = impersonationHeaders(config.user)
  const identities = new WeakMap<Auth, Identity[]>()
  let latest: Auth | undefined
  return {
    get: async () => {
      const current = await Promise.all(sources.map((source) => source.get()))
      const known = latest === undefined ? undefined : identities.get(latest)
      if (latest !== undefined && known?.every((identity, index) => identity === current[index])) return latest
      latest = combine(current, impersonation)
      identities.set(latest, current)
      return latest
    },
    refused: (auth) => {
      const used = identities.get(auth) ?? []
      return used.map((identity, index) => sources[index]?.refused(identity) ?? false).includes(true)
    },
    close: () => {
      for (const source of sources) source.close?.()
    },
  }
}

// As for client-go, what is written into the kubeconfig comes before what a plugin says.
function bearer(config: ClusterConfig, rim: CredentialsRim): CredentialSource | undefined {
  const { user, userName } = config
  if (user.token !== undefined || user.tokenFile !== undefined) return tokenCredentials(config)
  if (user.username !== undefined) return basic(user.username, user.password ?? '')
  if (user.exec !== undefined) return execCredentials({ config, plugin: user.exec, rim })
  const provider = user['auth-provider']
  if (provider === undefined) return undefined
  if (provider.name === 'oidc') return oidcCredentials({ config, settings: provider.config ?? {}, env: rim.env })
  const hint = 'Kubernetes removed it; log in with the provider’s credential plugin, which writes an exec entry'
  const message = `the auth-provider "${provider.name}" of the user "${userName}" is not supported`
  throw new KuberunError('credentials', message, { hint })
}

function basic(username: string, password: string): CredentialSource {
  const identity = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  return { get: async () => identity, refused: () => false }
}

function combine(identities: readonly Identity[], impersonation: Record<string, string | string[]>): Auth {
  const { authorization, cert, key } = Object.assign({}, ...identities) as Identity
  return {
    headers: { ...(authorization === undefined ? {} : { Authorization: authorization }), ...impersonation },
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  }
}
