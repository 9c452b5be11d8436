import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Quota } from './api/quota.ts'
import { ApiServer } from './api/server.ts'
import type { Rule, User } from './api/users.ts'
import { createCertificates } from './certificates.ts'
import { startControllers } from './cluster/controllers.ts'
import type { ApiObject } from './cluster/objects.ts'
import { namespaces } from './cluster/resources.ts'
import { Store } from './cluster/store.ts'
import { kubeconfig } from './kubeconfig.ts'
import { type Faults, readFaults } from './kubelet/faults.ts'
import { Kubelet } from './kubelet/kubelet.ts'
import type { Runtime } from './runtime.ts'

/** A namespace that is there from the start. */
export interface NamespaceOptions {
  /** Pods have to comply with the "restricted" Pod Security Standard. */
  restricted?: boolean
  /** Quantities, such as `{ pods: '2', 'limits.memory': '1Gi' }`. */
  quota?: Readonly<Record<string, string>>
}

export interface SandboxOptions {
  /** Where containers run. */
  runtime: Runtime
  /** The newest stream protocol of its execs: `v5` where not given. kubectl speaks to v5 only. */
  protocol?: 'v5' | 'v4'
  /** What goes wrong for all pods: as in a pod's annotation `sandbox.kuberun/fault`. */
  faults?: string
  /** Where not given: `default`, `team`, `restricted`, and `quota` for two pods. */
  namespaces?: Readonly<Record<string, NamespaceOptions>>
  /** Users with few rights, each with a context of its name; where not given one `team`, who may run pods in `team`. */
  users?: Readonly<Record<string, { namespace: string; rules: readonly Rule[] }>>
  /** Takes what should not happen. */
  onError?: (error: unknown) => void
}

/** A cluster in this process. Disposing of it ends its containers and removes its files. */
export interface Sandbox extends AsyncDisposable {
  /** The path of a kubeconfig with a context for each user; the current one may do everything. */
  readonly kubeconfig: string
  readonly url: string
  /** Has the API server go away for a second. */
  restartApi(): Promise<void>
}

/** Starts a cluster that speaks as much of the Kubernetes API as kubectl and kuberun need. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { runtime, protocol = 'v5', onError = () => {} } = options
  const { namespaces: wanted = usualNamespaces, users: limited = usualUsers } = options
  const faults = readFaults(options.faults ?? '')
  await using stack = new AsyncDisposableStack()
  stack.use(runtime)
  const folder = await mkdtemp(join(tmpdir(), 'kuberun-sandbox-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const store = new Store()
  addNamespaces(store, wanted)
  stack.use(startControllers(store))
  const kubelet = stack.use(startKubelet(store, { runtime, folder, faults, onError, restartApi: () => api.restart() }))
  const users = [newUser('sandbox'), ...Object.entries(limited).map(([name, rights]) => newUser(name, rights))]
  const certificates = await createCertificates()
  const api: ApiServer = await ApiServer.start(
    { store, kubelet, users, quotas: quotasOf(wanted), protocol },
    certificates,
  )
  stack.use(api)
  const path = join(folder, 'kubeconfig')
  await writeFile(path, kubeconfig({ url: api.url, ca: certificates.ca }, users), { mode: 0o600 })
  const owned = stack.move()
  return {
    kubeconfig: path,
    url: api.url,
    restartApi: () => api.restart(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
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
  for (const [name, { restricted }] of Object.entries(wanted)) {
    const level = restricted && { 'pod-security.kubernetes.io/enforce': 'restricted' }
    const metadata = { name, labels: { 'kubernetes.io/metadata.name': name, ...level } }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata, spec: {}, status: { phase: 'Active' } }
    store.add(namespaces, namespace as unknown as ApiObject)
  }
}

function quotasOf(wanted: Readonly<Record<string, NamespaceOptions>>): Record<string, Quota> {
  const limited = Object.entries(wanted).flatMap(([name, { quota }]) => (quota ? [{ name, hard: quota }] : []))
  return Object.fromEntries(limited.map((quota) => [quota.name, quota]))
}

function newUser(context: string, rights?: User['rights']): User & { context: string } {
  const name = rights ? `system:serviceaccount:${rights.namespace}:${context}` : context
  return { name, context, token: randomBytes(32).toString('base64url'), ...(rights && { rights }) }
}

interface KubeletParts {
  runtime: Runtime
  folder: string
  faults: Faults
  onError: (error: unknown) => void
  restartApi: () => Promise<void>
}

function startKubelet(store: Store, { runtime, folder, faults, onError, restartApi }: KubeletParts): Kubelet {
  let pods = 0
  const nextIP = (): string => `10.244.${Math.floor(++pods / 254) % 256}.${(pods % 254) + 1}`
  const restart = (): void => void restartApi().catch(onError)
  const node = { name: 'sandbox', hostIP: '127.0.0.1', store, runtime, folder, faults, nextIP, restartApi: restart }
  return new Kubelet(node, onError)
}
