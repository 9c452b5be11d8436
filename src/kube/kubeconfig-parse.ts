import { KuberunError } from '../errors.ts'
import type { ClusterEntry, ContextEntry, Entry, Kubeconfig, UserEntry } from './kubeconfig-types.ts'

/**
 * The named entries of one kubeconfig's text, YAML or JSON.
 * @throws {KuberunError} `kubeconfig`, naming the file and the place in it
 */
export async function parseKubeconfig(text: string, file: string): Promise<Kubeconfig> {
  const root = await parseText(text, file)
  // An empty file is an empty kubeconfig, as for kubectl.
  if (root === null || root === undefined) return fromObject({}, file)
  if (!isObject(root)) throw malformed(file, 'it holds no mapping')
  return fromObject(root, file)
}

function fromObject(root: Record<string, unknown>, file: string): Kubeconfig {
  const current = root['current-context']
  return {
    ...(typeof current === 'string' && current !== '' ? { currentContext: current } : {}),
    contexts: entries<ContextEntry>(root, 'contexts', 'context', file),
    clusters: entries<ClusterEntry>(root, 'clusters', 'cluster', file),
    users: entries<UserEntry>(root, 'users', 'user', file),
    files: [file],
  }
}

async function parseText(text: string, file: string): Promise<unknown> {
  try {
    if (text.trimStart().startsWith('{')) return JSON.parse(text) as unknown
  } catch {
    // YAML's flow style begins with a brace too.
  }
  // Loaded here, because a JSON kubeconfig and a usage error need no YAML parser.
  const { load } = await import('js-yaml')
  try {
    return text.trim() === '' ? undefined : load(text)
  } catch (error) {
    throw malformed(file, (error as Error).message.split('\n', 1)[0] ?? '', error)
  }
}

function entries<T>(root: Record<string, unknown>, list: string, key: string, file: string): Map<string, Entry<T>> {
  const found = new Map<string, Entry<T>>()
  const items = root[list] ?? []
  if (!Array.isArray(items)) throw malformed(file, `"${list}" is no list`)
  for (const item of items as unknown[]) {
    if (!isObject(item) || typeof item['name'] !== 'string') throw malformed(file, `an item of "${list}" has no name`)
    const value = item[key] ?? {}
    if (!isObject(value)) throw malformed(file, `the ${key} "${item['name']}" is no mapping`)
    if (!found.has(item['name'])) found.set(item['name'], { value: withoutBlanks(value) as T, file })
  }
  return found
}

// `token: ""` and `token:` mean the same as no token at all, and a bare number is meant as text.
function withoutBlanks(value: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(value).filter(([, field]) => field !== '' && field !== null)
  return Object.fromEntries(kept.map(([name, field]) => [name, typeof field === 'number' ? String(field) : field]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(file: string, why: string, cause?: unknown): KuberunError {
  const hint = `look at it with: kubectl config view --kubeconfig "${file}"`
  return new KuberunError('kubeconfig', `cannot parse the kubeconfig "${file}": ${why}`, { cause, hint })
}
