import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { KuberunError } from '../errors.ts'
import { parseKubeconfig } from './kubeconfig-parse.ts'
import type { Entry, Kubeconfig } from './kubeconfig-types.ts'

export type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads and merges the kubeconfig files as kubectl does: the named file alone, else those of `$KUBECONFIG`, else
 * `~/.kube/config`. Where several files set the same thing, the first one counts.
 * @throws {KuberunError} `kubeconfig`: the named file is missing, or a file cannot be read or parsed
 */
export async function readKubeconfig(named: string | undefined, env: Env): Promise<Kubeconfig> {
  const paths = named === undefined ? kubeconfigPaths(env) : [resolve(named)]
  const texts = await Promise.all(paths.map((path) => readText(path, named !== undefined)))
  const parsed: Kubeconfig[] = []
  for (const [index, text] of texts.entries()) {
    const path = paths[index]
    if (text !== undefined && path !== undefined) parsed.push(await parseKubeconfig(text, path))
  }
  return merge(parsed)
}

/** Where kubectl would look when no file is named. */
export function kubeconfigPaths(env: Env): string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  if (listed.length > 0) return listed.map((path) => resolve(path))
  return [join(env['HOME'] || env['USERPROFILE'] || homedir(), '.kube', 'config')]
}

async function readText(path: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw new KuberunError('kubeconfig', `cannot read the kubeconfig "${path}": ${message}`, { cause: error })
    }
    if (!required) return undefined
    const hint = 'name an existing file with --kubeconfig, or leave the flag out to use $KUBECONFIG or ~/.kube/config'
    throw new KuberunError('kubeconfig', `the kubeconfig "${path}" does not exist`, { cause: error, hint })
  }
}

function merge(configs: readonly Kubeconfig[]): Kubeconfig {
  const current = configs.find((config) => config.currentContext !== undefined)?.currentContext
  return {
    ...(current === undefined ? {} : { currentContext: current }),
    contexts: firstWins(configs.map((config) => config.contexts)),
    clusters: firstWins(configs.map((config) => config.clusters)),
    users: firstWins(configs.map((config) => config.users)),
    files: configs.flatMap((config) => config.files),
  }
}

function firstWins<T>(maps: readonly Map<string, Entry<T>>[]): Map<string, Entry<T>> {
  // A later entry of a Map replaces an earlier one, so the first file comes last.
  return new Map(maps.toReversed().flatMap((map) => [...map]))
}
