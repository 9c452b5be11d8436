import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { sandbox } from './ground.ts'
import { type Ended, folder, type ShellOptions, type Started, sh, start } from './programs.ts'
import { until } from './wait.ts'

const managed = 'app.kubernetes.io/managed-by=kuberun'
const fixtureLabel = 'kuberun-e2e'

/** A namespace of a test file's own, and a kubeconfig that leads there. */
export interface Place {
  namespace: string
  kubeconfig: string
  /** Runs a script in this namespace to its end. */
  sh(script: string, options?: ShellOptions): Promise<Ended>
  start(script: string, options?: ShellOptions): Started
}

export interface PlaceOptions {
  labels?: Record<string, string>
  /** Manifests to apply there. */
  manifests?: readonly object[]
}

/** The admin's kubectl against the current context, whatever that is; throws where it fails. */
export async function kubectl(script: string, options: ShellOptions = {}): Promise<string> {
  const ended = await sh(`kubectl ${script}`, options)
  if (ended.code !== 0) throw new Error(`kubectl ${script}: ${ended.stderr}`)
  return ended.stdout
}

/**
 * Makes namespaces for the tests of a file, and removes them after. In between no run may leave a pod or a Job behind.
 * Call it once a file, at the top.
 */
export async function places<N extends string>(wanted: Record<N, PlaceOptions>): Promise<Record<N, Place>> {
  const names = Object.keys(wanted) as N[]
  const made = Object.fromEntries(names.map((name) => [name, placeOf(name)])) as Record<N, Place>
  const all = names.map((name) => made[name].namespace)
  after(
    async () => {
      try {
        await nothingLeft(all)
      } finally {
        await kubectl(`delete namespace --ignore-not-found --wait=false ${all.join(' ')}`)
        await sandbox?.[Symbol.asyncDispose]()
      }
    },
    { timeout: 90_000 },
  )
  await removeForgotten()
  try {
    await Promise.all(names.map((name) => make(made[name], wanted[name])))
  } catch (error) {
    // A file that fails here runs no hooks.
    await kubectl(`delete namespace --ignore-not-found --wait=false ${all.join(' ')}`)
    await sandbox?.[Symbol.asyncDispose]()
    throw error
  }
  return made
}

function placeOf(name: string): Place {
  const namespace = `kuberun-e2e-${name}-${randomBytes(3).toString('hex')}`
  const kubeconfig = join(folder, namespace)
  return at(namespace, kubeconfig)
}

/** The place to which a kubeconfig leads. */
export function at(namespace: string, kubeconfig: string): Place {
  const within = (options: ShellOptions = {}) => ({ ...options, env: { KUBECONFIG: kubeconfig, ...options.env } })
  return {
    namespace,
    kubeconfig,
    sh: (script, options) => sh(script, within(options)),
    start: (script, options) => start(script, within(options)),
  }
}

async function make(place: Place, { labels = {}, manifests = [] }: PlaceOptions): Promise<void> {
  const { namespace } = place
  writeFileSync(place.kubeconfig, await currentContext(namespace), { mode: 0o600 })
  const metadata = { name: namespace, labels: { [fixtureLabel]: 'true', ...labels } }
  await create([{ apiVersion: 'v1', kind: 'Namespace', metadata }], namespace)
  await create(manifests, namespace)
  if (sandbox) return
  // Until it is there, the namespace takes no pod.
  await until('the service account "default"', async () => {
    return (await sh(`kubectl get serviceaccount default -n ${namespace}`)).code === 0
  })
}

export async function create(manifests: readonly object[], namespace: string): Promise<void> {
  if (manifests.length === 0) return
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests })
  const inNamespace = manifests.some((m) => 'kind' in m && m.kind === 'Namespace') ? '' : `-n ${namespace}`
  // To validate is to ask for the OpenAPI document, which a sandbox has not.
  await kubectl(`create --validate=${!sandbox} ${inNamespace} -f -`, { input })
}

async function currentContext(namespace: string): Promise<string> {
  const config = JSON.parse(await kubectl('config view --minify --raw --flatten -o json')) as Kubeconfig
  for (const { context } of config.contexts) context.namespace = namespace
  return JSON.stringify(config)
}

/** What of a kubeconfig the tests change. */
export interface Kubeconfig {
  'current-context': string
  contexts: { name: string; context: { namespace?: string; cluster: string; user: string } }[]
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[]
  users: { name: string; user: Record<string, unknown> }[]
}

/** The pods and Jobs of ours in these namespaces, as `namespace kind/name phase`. */
export async function ours(namespaces: readonly string[]): Promise<string[]> {
  const form = '{range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name} {.status.phase}{"\\n"}{end}'
  const lists = await Promise.all(
    namespaces.map((namespace) => kubectl(`get pods,jobs -n ${namespace} -l ${managed} -o jsonpath='${form}'`)),
  )
  return lists.flatMap((text) => text.split('\n').filter((line) => line !== ''))
}

/** Waits until no run has left anything in these namespaces. */
export async function nothingLeft(namespaces: readonly string[], within = 40_000): Promise<void> {
  let left: string[] = []
  try {
    await until(
      'the pods and Jobs of ours to be gone',
      async () => {
        left = await ours(namespaces)
        return left.length === 0
      },
      { within, every: 500 },
    )
  } catch (cause) {
    if (left.length === 0) throw cause
    throw new Error(`left behind after ${within} ms:\n${left.join('\n')}`, { cause })
  }
}

/** What a test run that was killed has left. */
async function removeForgotten(): Promise<void> {
  const form = '{range .items[*]}{.metadata.name} {.metadata.creationTimestamp}{"\\n"}{end}'
  const list = await kubectl(`get namespaces -l ${fixtureLabel} -o jsonpath='${form}'`)
  const old = list.split('\n').flatMap((line) => {
    const [name, created] = line.split(' ')
    return name && created && Date.now() - Date.parse(created) > 3_600_000 ? [name] : []
  })
  if (old.length > 0) await kubectl(`delete namespace --ignore-not-found --wait=false ${old.join(' ')}`)
}
