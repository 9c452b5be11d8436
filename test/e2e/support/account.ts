import { readFileSync, writeFileSync } from 'node:fs'
import { sandbox } from './ground.ts'
import { at, create, type Kubeconfig, kubectl, type Place } from './place.ts'

/** A rule of a Role. */
export interface Rule {
  apiGroups: readonly string[]
  resources: readonly string[]
  verbs: readonly string[]
}

/** What a run needs, by the README, and nothing else: no Jobs. */
export const neededRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
  { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
]

const rbac = 'rbac.authorization.k8s.io'

/** The same place as a user sees it who may do there what the rules say, and nothing anywhere else. */
export async function asUser(place: Place, name: string, rules: readonly Rule[] = neededRules): Promise<Place> {
  const token =
    sandbox?.addUser(name, { namespace: place.namespace, rules }) ?? (await serviceAccount(place, name, rules))
  return variant(place, name, (config) => {
    for (const entry of config.users) entry.user = { token }
  })
}

/** @returns its token */
async function serviceAccount({ namespace }: Place, name: string, rules: readonly Rule[]): Promise<string> {
  const metadata = { name }
  const subjects = [{ kind: 'ServiceAccount', name }]
  await create(
    [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: rbac, kind: 'Role', name },
        subjects,
      },
    ],
    namespace,
  )
  return (await kubectl(`create token ${name} -n ${namespace} --duration 2h`)).trim()
}

/** The same place with a kubeconfig that was changed. */
export function variant(place: Place, name: string, change: (config: Kubeconfig) => void): Place {
  const config = JSON.parse(readFileSync(place.kubeconfig, 'utf8')) as Kubeconfig
  change(config)
  const kubeconfig = `${place.kubeconfig}-${name}`
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  return at(place.namespace, kubeconfig)
}
