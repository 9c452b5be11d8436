import type { UserEntry } from './kubeconfig-types.ts'

/**
 * The headers by which a user acts as another.
 * See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function impersonationHeaders(user: UserEntry): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  if (user.as !== undefined) headers['Impersonate-User'] = user.as
  if (user['as-uid'] !== undefined) headers['Impersonate-Uid'] = user['as-uid']
  const groups = user['as-groups'] ?? []
  if (groups.length > 0) headers['Impersonate-Group'] = groups
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`Impersonate-Extra-${headerName(key)}`] = values
  }
  return headers
}

// A key such as `example.com/scopes` has characters that no header may have: they are percent-encoded.
function headerName(key: string): string {
  return key.toLowerCase().replace(/[^a-z\d!#$&'*+.^_`|~-]/gu, percentEncode)
}

function percentEncode(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
