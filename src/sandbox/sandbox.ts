import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiServer } from './api/server.ts'
import type { Rule, User } from './api/users.ts'
import { createCertificates } from './certificates.ts'
import { startControllers } from './cluster/controllers.ts'
import type { ApiObject } from './cluster/objects.ts'
import { apiVersionOf, namespaces, quotas, type Resource } from './cluster/resources.ts'
import { Store } from './cluster/store.ts'
import { kubeconfig } from './kubeconfig.ts'
import { readFaults } from './kubelet/faults.ts'
import { Kubelet } from './kubelet/kubelet.ts'
import { openRuntime, type RuntimeOptions } from './runtime/open.ts'
import { makeStateFolder, removeFolder } from './runtime/state.ts'
import type { Runtime } from './runtime.ts'

/** A namespace that is there from the start. */
export interface NamespaceOptions {
  /** Pods have to comply with the "restricted" Pod Security Standard. */
  restricted?: boolean
  /** Quantities, such as `{ pods: '2', 'limits.memory': '1Gi' }`. */
  quota?: Readonly<Record<string, string>>
}

export interface SandboxOptions {
  /** What images stand for, before what is built in. */
  images?: RuntimeOptions['images']
  /** Where containers run; processes of this machine where not given. */
  runtime?: Runtime
  /** The newest stream protocol of its execs: `v5` where not given. kubectl speaks to v5 only. */
  protocol?: 'v5' | 'v4'
  /** What goes wrong for all pods: as in a pod's annotation `sandbox.kuberun/fault`. */
  faults?: string
  /** Where not given: `default`, `team`, `restricted`, and `quota` for two pods. */
  namespaces?: Readonly<Record<string, NamespaceOptions>>
  /** Users with few rights, each with a context of its name; where not given one `team`, who may run pods in `team`. */
  users?: Readonly<Record<string, Rights>>
  /** Takes what should not happen. */
  onError?: (error: unknown) => void
}

/** What a user may do, and where. */
export interface Rights {
  namespace: string
  rules: readonly Rule[]
}

/** A cluster in this process. Disposing of it ends its containers and removes its files. */
export interface Sandbox extends AsyncDisposable {
  /** The path of a kubeconfig with a context for each user; the current one may do everything. */
  readonly kubeconfig: string
  readonly url: string
  /**
   * Adds a user with few rights.
   * @returns the user's token
   */
  addUser(name: string, rights: Rights): string
  /** Has the API server go away for a second. */
  restartApi(): Promise<void>
}

/** Starts a cluster that speaks as much of the Kubernetes API as kubectl and kuberun need. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { images = [], users: limited = usualUsers, protocol = 'v5' } = options
  const runtime = options.runtime ?? (await openRuntime({ images }))
  const folder = await makeStateFolder()
  const store = new Store()
  addNamespaces(store, options.namespaces ?? usualNamespaces)
  const controllers = startControllers(store)
  const kubelet = startKubelet(store, { ...options, runtime, folder, restartApi: () => api.restart() })
  const users = [newUser('sandbox'), ...Object.entries(limited).map(([name, rights]) => newUser(name, rights))]
  const certificates = await createCertificates()
  const api: ApiServer = await ApiServer.start({ store, kubelet, users, protocol }, certificates)
  const path = join(folder, 'kubeconfig')
  await writeFile(path, kubeconfig({ url: api.url, ca: certificates.ca }, users), { mode: 0o600 })
  return {
    kubeconfig: path,
    url: api.url,
    addUser: (name, rights) => {
      const user = newUser(name, rights)
      users.push(user)
      return user.token
    },
    restartApi: () => api.restart(),
    [Symbol.asyncDispose]: async () => {
      controllers[Symbol.dispose]()
      for (const part of [api, kubelet, runtime]) await part[Symbol.asyncDispose]()
      await removeFolder(folder)
    },
  }
}

const usualNamespaces: Record<string, NamespaceOptions> = {
  default: {},
  team: {},
  restricted: { restricted: true },
  quota: { quota: { pods: '2', 'limits.memory': '1Gi' } },
}

const usualUsers: NonNullable<SandboxOptions['users']> = {
  team: {
    namespace: 'team',
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
      { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
    ],
  },
}

function addNamespaces(store: Store, wanted: Readonly<Record<string, NamespaceOptions>>): void {
  for (const [name, { restricted, quota }] of Object.entries(wanted)) {
    const level = restricted && { 'pod-security.kubernetes.io/enforce': 'restricted' }
    const labels = { 'kubernetes.io/metadata.name': name, ...level }
    add(store, namespaces, { metadata: { name, labels }, spec: {}, status: { phase: 'Active' } })
    if (quota) add(store, quotas, { metadata: { name: 'quota', namespace: name }, spec: { hard: quota } })
  }
}

function add(store: Store, resource: Resource, object: object): void {
  store.add(resource, { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object } as ApiObject)
}

function newUser(context: string, rights?: User['rights']): User & { context: string } {
  const name = rights ? `system:serviceaccount:${rights.namespace}:${context}` : context
  return { name, context, token: randomBytes(32).toString('base64url'), ...(rights && { rights }) }
}

interface KubeletParts extends Pick<SandboxOptions, 'faults' | 'onError'> {
  runtime: Runtime
  folder: string
  restartApi: () => Promise<void>
}

function startKubelet(store: Store, parts: KubeletParts): Kubelet {
  const { runtime, folder, onError = () => {} } = parts
  let pods = 0
  const nextIP = (): string => `10.244.${Math.floor(++pods / 254) % 256}.${(pods % 254) + 1}`
  const restartApi = (): void => void parts.restartApi().catch(onError)
  const faults = readFaults(parts.faults ?? '')
  const node = { name: 'sandbox', hostIP: '127.0.0.1', store, runtime, folder, faults, nextIP, restartApi }
  return new Kubelet(node, onError)
}
