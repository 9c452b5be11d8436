import { dirname } from 'node:path'
import { KuberunError } from '../errors.ts'
import type { ClusterOptions } from '../options.ts'
import { inClusterConfig, serviceAccountFolder } from './in-cluster.ts'
import { type Env, kubeconfigPaths, readKubeconfig } from './kubeconfig-files.ts'
import type { ClusterEntry, ContextEntry, Entry, Kubeconfig, UserEntry } from './kubeconfig-types.ts'
import { parseServer } from './server-url.ts'

/** What a kubeconfig and the flags together say of one cluster and of how we appear there. */
export interface ClusterConfig {
  server: URL
  /** The context's name, for messages; empty when there is none. */
  context: string
  namespace: string
  cluster: ClusterEntry
  user: UserEntry
  /** The user's name, for messages. */
  userName: string
  /** What relative paths in the cluster and in the user start from. */
  clusterFolder: string
  userFolder: string
  /** The file that the user is from; empty when it is from none. */
  userFile: string
}

/**
 * Finds the cluster to talk to, as kubectl does: kubeconfig files, the flags over them, else the pod that we run in.
 * @param mounted where Kubernetes mounts a pod's service account
 * @throws {KuberunError} `kubeconfig`, with a hint
 */
export async function loadClusterConfig(
  options: ClusterOptions,
  env: Env,
  mounted = serviceAccountFolder,
): Promise<ClusterConfig> {
  const kubeconfig = await readKubeconfig(options.kubeconfig, env)
  if (isEmpty(kubeconfig)) {
    const inCluster = namesKubeconfig(options) ? undefined : await inClusterConfig(env, mounted)
    if (inCluster === undefined) throw nothingFound(options, env)
    return { ...inCluster, user: impersonating(inCluster.user, options), ...namespaceOf(options, inCluster.namespace) }
  }
  return fromKubeconfig(kubeconfig, options)
}

/** Whoever names a file, or what is in one, does not mean the pod that we run in. */
function namesKubeconfig({ kubeconfig, context, cluster, user }: ClusterOptions): boolean {
  return [kubeconfig, context, cluster, user].some((name) => name !== undefined)
}

function fromKubeconfig(kubeconfig: Kubeconfig, options: ClusterOptions): ClusterConfig {
  const contextName = options.context ?? kubeconfig.currentContext ?? ''
  const context = chooseContext(kubeconfig, contextName, options)
  const clusterName = options.cluster ?? context.cluster ?? ''
  const cluster = choose(kubeconfig.clusters, clusterName, 'cluster', kubeconfig, contextName)
  const userName = options.user ?? context.user ?? ''
  // A context without a user is an anonymous one, with the cluster's TLS settings all the same.
  const user =
    userName === ''
      ? { value: {}, file: cluster.file }
      : choose(kubeconfig.users, userName, 'user', kubeconfig, contextName)
  return {
    server: parseServer(cluster.value, clusterName, cluster.file),
    context: contextName,
    ...namespaceOf(options, context.namespace ?? 'default'),
    cluster: cluster.value,
    user: impersonating(user.value, options),
    userName,
    clusterFolder: dirname(cluster.file),
    userFolder: dirname(user.file),
    userFile: user.file,
  }
}

function chooseContext(kubeconfig: Kubeconfig, name: string, options: ClusterOptions): ContextEntry {
  const context = kubeconfig.contexts.get(name)
  if (context !== undefined) return context.value
  if (name === '' && options.cluster !== undefined) return {}
  const hint = `${existing('contexts', kubeconfig.contexts)}\nchoose one with --context, or with: kubectl config use-context NAME`
  const where = `the kubeconfig ${quoteAll(kubeconfig.files)}`
  if (name === '') throw new KuberunError('kubeconfig', `no current context is set in ${where}`, { hint })
  throw new KuberunError('kubeconfig', `context "${name}" does not exist in ${where}`, { hint })
}

function choose<T>(
  among: Map<string, Entry<T>>,
  name: string,
  kind: 'cluster' | 'user',
  kubeconfig: Kubeconfig,
  context: string,
): Entry<T> {
  const entry = among.get(name)
  if (entry !== undefined) return entry
  const hint = existing(`${kind}s`, among)
  if (name === '') throw new KuberunError('kubeconfig', `context "${context}" names no ${kind}`, { hint })
  const where = `the kubeconfig ${quoteAll(kubeconfig.files)}`
  throw new KuberunError('kubeconfig', `${kind} "${name}" does not exist in ${where}`, { hint })
}

function impersonating(user: UserEntry, options: ClusterOptions): UserEntry {
  // `--as` replaces the whole of the user's impersonation: its groups belong to another name.
  const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra, ...rest } = user
  const base = options.as === undefined ? { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } : {}
  const overrides = {
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.asGroup === undefined || options.asGroup.length === 0 ? {} : { 'as-groups': [...options.asGroup] }),
  }
  const merged = Object.entries({ ...base, ...overrides }).filter(([, value]) => value !== undefined)
  const result: UserEntry = { ...rest, ...Object.fromEntries(merged) }
  if (result.as !== undefined || merged.length === 0) return result
  throw new KuberunError('kubeconfig', 'a group, uid or extra is impersonated without a user', {
    hint: 'name the user too, with --as',
  })
}

function namespaceOf(options: ClusterOptions, otherwise: string): { namespace: string } {
  return { namespace: options.namespace || otherwise }
}

function isEmpty(kubeconfig: Kubeconfig): boolean {
  const { contexts, clusters, users, currentContext } = kubeconfig
  return currentContext === undefined && contexts.size + clusters.size + users.size === 0
}

function nothingFound(options: ClusterOptions, env: Env): KuberunError {
  const hint = 'name a file with --kubeconfig or $KUBECONFIG; a cloud provider’s or cluster tool’s login writes one'
  if (options.kubeconfig !== undefined) {
    return new KuberunError('kubeconfig', `the kubeconfig "${options.kubeconfig}" is empty`, { hint })
  }
  return new KuberunError('kubeconfig', `no kubeconfig found: looked for ${quoteAll(kubeconfigPaths(env))}`, { hint })
}

function existing(what: string, map: ReadonlyMap<string, unknown>): string {
  return map.size === 0 ? `it has no ${what}` : `its ${what}: ${quoteAll([...map.keys()])}`
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
