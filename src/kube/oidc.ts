import { KuberunError } from '../errors.ts'
import type { CredentialSource, Identity } from './credentials.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import type { Env } from './kubeconfig-files.ts'
import { refreshOidc } from './oidc-refresh.ts'
import { replaceInFile } from './replace-in-file.ts'

/** The settings of kubectl's `oidc` auth-provider: `id-token`, `refresh-token`, `idp-issuer-url`, `client-id`, … */
export type OidcSettings = Readonly<Record<string, string>>

export interface OidcOptions {
  config: ClusterConfig
  settings: OidcSettings
  env: Env
}

// As for client-go: a token that ends this soon is replaced.
const margin = 10_000

/** An OpenID Connect ID token, refreshed when it ends or is refused. */
export function oidcCredentials(options: OidcOptions): CredentialSource {
  let settings = options.settings
  let identity: Identity | undefined = usable(settings['id-token'])
  let pending: Promise<Identity> | undefined
  const renew = async (): Promise<Identity> => {
    const renewed = await refreshOidc({ ...options, settings })
    await keep(options, settings, renewed)
    settings = renewed
    identity = { authorization: `Bearer ${settings['id-token']}` }
    return identity
  }
  return {
    get: async () => {
      if (identity !== undefined && isFresh(settings['id-token'])) return identity
      pending ??= renew().finally(() => {
        pending = undefined
      })
      return pending
    },
    refused: (used) => {
      if (settings['refresh-token'] === undefined) return false
      if (used === identity) identity = undefined
      return true
    },
  }
}

function usable(token: string | undefined): Identity | undefined {
  return token === undefined ? undefined : { authorization: `Bearer ${token}` }
}

function isFresh(token: string | undefined): boolean {
  try {
    const payload = Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()
    const { exp } = JSON.parse(payload) as { exp?: number }
    return exp !== undefined && Date.now() < exp * 1000 - margin
  } catch (error) {
    const hint = 'it is no JSON web token: log in again'
    throw new KuberunError('credentials', 'cannot read the id-token of the kubeconfig', { cause: error, hint })
  }
}

/**
 * Many issuers take a refresh token only once. Written back, as kubectl does, so that the next program finds one that
 * still works; a kubeconfig that cannot be written costs a login, not this run.
 */
async function keep({ config }: OidcOptions, before: OidcSettings, after: OidcSettings): Promise<void> {
  const names = ['id-token', 'refresh-token'] as const
  const pairs = names.flatMap((name): [string, string][] => {
    const [old, fresh] = [before[name], after[name]]
    return old === undefined || fresh === undefined || old === fresh ? [] : [[old, fresh]]
  })
  await replaceInFile(config.userFile, new Map(pairs)).catch(() => {})
}
