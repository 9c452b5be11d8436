import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Kubeconfig, kubectl } from './place.ts'
import { sh } from './programs.ts'
import { until } from './wait.ts'

const home = process.env['CLUSTER_HOME'] ?? join(homedir(), '.cache/one-node-kubernetes')

/** The API server of scripts/cluster, which tests may kill and have back; disposing of it has it back. */
export class ApiServer implements AsyncDisposable {
  readonly #server: Component
  /** They wait for up to a minute before they look for a new API server; started anew they look at once. */
  readonly #followers: readonly Component[]

  private constructor() {
    this.#server = new Component('apiserver')
    this.#followers = ['kcm', 'scheduler', 'kubelet'].map((name) => new Component(name))
  }

  /** @returns why there is none to stop: the current context is another cluster's */
  static async find(): Promise<ApiServer | string> {
    const config = JSON.parse(await kubectl('config view --minify --raw --flatten -o json')) as Kubeconfig
    const { hostname, port } = new URL(config.clusters[0]?.cluster.server ?? '')
    try {
      const found = new ApiServer()
      if (hostname === '127.0.0.1' && found.#server.option('--secure-port') === port) return found
    } catch {
      // It does not run here.
    }
    return 'the current context is not the cluster of scripts/cluster, whose API server may be stopped'
  }

  async kill(): Promise<void> {
    await this.#server.kill()
  }

  /** Starts it as it was started before, where it does not run. */
  async start(): Promise<void> {
    await this.#server.start()
    await until('the API server', async () => (await sh('kubectl get --raw /readyz')).stdout === 'ok', {
      within: 60_000,
    })
  }

  /** Starts it, and waits until the cluster runs pods and removes what is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.start()
    for (const follower of this.#followers) {
      await follower.kill()
      await follower.start()
    }
    await works()
  }
}

/** A process of scripts/cluster, by the id that it recorded. */
class Component {
  readonly #name: string
  readonly #argv: readonly string[]
  readonly #environment: NodeJS.ProcessEnv
  #pid: number

  constructor(name: string) {
    this.#name = name
    this.#pid = Number(readFileSync(this.#pidFile, 'utf8'))
    this.#argv = words(`/proc/${this.#pid}/cmdline`)
    if (!/kube/.test(this.#argv[0] ?? '')) throw new Error(`process ${this.#pid} is not of the cluster`)
    this.#environment = Object.fromEntries(words(`/proc/${this.#pid}/environ`).map((word) => word.split(/=(.*)/s, 2)))
  }

  get #pidFile(): string {
    return join(home, `run/${this.#name}.pid`)
  }

  option(flag: string): string | undefined {
    return this.#argv[this.#argv.indexOf(flag) + 1]
  }

  async kill(): Promise<void> {
    if (!(await this.#lives())) return
    process.kill(this.#pid, 'SIGKILL')
    await until(`${this.#name} to end`, async () => !(await this.#lives()), { every: 20 })
  }

  async start(): Promise<void> {
    if (await this.#lives()) return
    const [program = '', ...rest] = this.#argv
    const log = openSync(join(home, `log/${this.#name}.log`), 'a')
    const child = spawn(program, rest, { env: this.#environment, detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    this.#pid = child.pid ?? 0
    writeFileSync(this.#pidFile, `${this.#pid}\n`)
    child.unref()
  }

  /** A dead child that nobody has waited for yet does not count. */
  async #lives(): Promise<boolean> {
    return (await sh(`grep -q '^State:[[:space:]]*[^ZX]' /proc/${this.#pid}/status 2>/dev/null`)).code === 0
  }
}

async function works(): Promise<void> {
  const namespace = `kuberun-e2e-probe-${randomBytes(3).toString('hex')}`
  await kubectl(`create namespace ${namespace}`)
  try {
    const probe = `kubectl run probe -n ${namespace} --image pause:1 --restart=Never`
    await until('the controllers', async () => (await sh(probe)).code === 0, { within: 120_000, every: 500 })
    const phase = `get pod probe -n ${namespace} -o jsonpath='{.status.phase}'`
    await until('the node', async () => (await kubectl(phase)) === 'Running', { within: 120_000, every: 500 })
  } finally {
    await kubectl(`delete namespace ${namespace} --wait=false`)
  }
}

function words(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1)
}
