import type { User } from './api/users.ts'

/**
 * A kubeconfig for a sandbox: one context a user, the first is the current one. JSON, which is YAML.
 * @param server.ca as PEM
 */
export function kubeconfig(
  server: { url: string; ca: string },
  users: readonly (User & { context: string })[],
): string {
  const cluster = 'sandbox'
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': users[0]?.context,
    clusters: [
      {
        name: cluster,
        cluster: { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') },
      },
    ],
    users: users.map(({ context, token }) => ({ name: context, user: { token } })),
    contexts: users.map(({ context, rights }) => {
      return { name: context, context: { cluster, user: context, namespace: rights?.namespace ?? 'default' } }
    }),
  })
}
