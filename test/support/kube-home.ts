import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KubeClient, type KubeRim, openKubeClient } from '../../src/kube/client.ts'
import type { Pace } from '../../src/kube/retry.ts'
import type { ClusterOptions } from '../../src/options.ts'
import { searchPath } from './environment.ts'

/** A folder of its own for each test. */
export interface Folder extends AsyncDisposable {
  readonly path: string
  file(name: string, content: string, mode?: number): Promise<string>
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'kuberun-kube-'))
  return {
    path,
    file: async (name, content, mode = 0o600) => {
      await writeFile(join(path, name), content, { mode })
      return join(path, name)
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

/** The text of a kubeconfig with one context. */
export function kubeconfigText(cluster: Record<string, unknown>, user: Record<string, unknown> = {}): string {
  return JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'one', user: 'me', namespace: 'dev' } }],
    clusters: [{ name: 'one', cluster }],
    users: [{ name: 'me', user }],
  })
}

export interface Setup extends KubeRim {
  cluster?: Record<string, unknown>
  user?: Record<string, unknown>
  options?: ClusterOptions
}

export interface TestClient extends AsyncDisposable {
  readonly client: KubeClient
  readonly folder: Folder
}

/** A client of a server, by a kubeconfig of its own. The environment is empty but for PATH. */
export async function clientOf(server: string, setup: Setup = {}): Promise<TestClient> {
  const { cluster, user, options, ...rim } = setup
  const folder = await temporaryFolder()
  const kubeconfig = await folder.file('config', kubeconfigText({ server, ...cluster }, user))
  const env = { PATH: searchPath }
  const opening = openKubeClient({ kubeconfig, ...options }, { env, interactive: false, ...rim })
  const client = await opening.catch(async (error: unknown) => {
    await folder[Symbol.asyncDispose]()
    throw error
  })
  return {
    client,
    folder,
    [Symbol.asyncDispose]: async () => {
      client.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** A pace at which waiting takes no time, and which tells what would have been waited for. */
export function quickPace(random = 0.5): Pace & { waits: number[] } {
  const waits: number[] = []
  let elapsed = 0
  return {
    waits,
    now: () => elapsed,
    sleep: async (milliseconds) => {
      waits.push(milliseconds)
      elapsed += milliseconds
    },
    random: () => random,
  }
}
