import type * as OpenIdClient from 'openid-client'
import { KuberunError } from '../errors.ts'
import { readMaterial } from './material.ts'
import type { OidcOptions, OidcSettings } from './oidc.ts'
import { issuerFetch } from './oidc-fetch.ts'

type OpenId = typeof OpenIdClient

/**
 * Trades the refresh token for a new ID token; answers with the settings that count from now on.
 * @throws {KuberunError} `credentials`
 */
export async function refreshOidc(options: OidcOptions): Promise<OidcSettings> {
  const { settings, config } = options
  const hint = 'log in to the cluster again'
  const refreshToken = settings['refresh-token']
  if (refreshToken === undefined) {
    const message = `the id-token of the user "${config.userName}" has expired, and there is no refresh-token`
    throw new KuberunError('credentials', message, { hint })
  }
  try {
    // Loaded only here: hardly anybody needs it.
    const openid = await import('openid-client')
    const tokens = await openid.refreshTokenGrant(await discover(openid, options), refreshToken)
    if (tokens.id_token === undefined) throw new Error('the issuer sent no id_token')
    // An issuer that does not rotate refresh tokens sends none.
    return { ...settings, 'id-token': tokens.id_token, 'refresh-token': tokens.refresh_token ?? refreshToken }
  } catch (error) {
    if (error instanceof KuberunError) throw error
    const issuer = settings['idp-issuer-url'] ?? ''
    const message = `cannot refresh the id-token of the user "${config.userName}" at "${issuer}": ${reason(error)}`
    throw new KuberunError('credentials', message, { cause: error, hint })
  }
}

async function discover(openid: OpenId, options: OidcOptions): Promise<OpenIdClient.Configuration> {
  const { settings, config, env } = options
  const issuer = URL.parse(settings['idp-issuer-url'] ?? '')
  const clientId = settings['client-id']
  if (issuer === null || clientId === undefined) {
    const message = `the auth-provider of the user "${config.userName}" needs both an idp-issuer-url and a client-id`
    throw new KuberunError('kubeconfig', message)
  }
  const ca = await readMaterial({
    data: settings['idp-certificate-authority-data'],
    file: settings['idp-certificate-authority'],
    folder: config.userFolder,
    field: 'idp-certificate-authority',
  })
  const fetch = issuerFetch(ca, env) as OpenIdClient.CustomFetch
  return openid.discovery(issuer, clientId, undefined, clientAuth(openid, settings['client-secret']), {
    [openid.customFetch]: fetch,
    // An issuer without TLS is the kubeconfig's choice, as for kubectl.
    ...(issuer.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {}),
  })
}

function clientAuth(openid: OpenId, secret: string | undefined): OpenIdClient.ClientAuth {
  if (secret === undefined || secret === '') return openid.None()
  return (server, client, body, headers) => {
    // What an issuer supports is known only after discovery; the standard's default is Basic.
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const inHeader = methods.includes('client_secret_basic')
    const apply = inHeader ? openid.ClientSecretBasic(secret) : openid.ClientSecretPost(secret)
    apply(server, client, body, headers)
  }
}

function reason(error: unknown): string {
  const { message, error_description: description } = error as Error & { error_description?: string }
  return description ?? message
}
