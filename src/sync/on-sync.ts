import type { OutputFrame, Target } from '../exec/exec.ts'
import { quote } from '../exec/quote.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { encodePath } from './path.ts'
import { openScript } from './remote/pod-script.ts'

/** How many bytes a variable may hold: Linux takes 128 KiB. */
const longest = 100_000

export interface OnSyncOptions {
  client: KubeClient
  target: Target
  shell: Shell
  remoteDir: string
  /** A shell line. */
  command: string
  /** Takes what it prints. */
  write: (frame: OutputFrame) => Promise<void>
  /** Told when it ended with another code than 0, or could not be run. */
  onFailure: (why: string) => void
  signal: AbortSignal
}

/**
 * Runs a command in the pod after each batch, never twice at a time: what comes meanwhile is one more run. The changed
 * paths are in `$WARP_CHANGED`, one a line; too many of them are a `.`, for all.
 */
export class OnSync {
  readonly #options: OnSyncOptions
  readonly #changed = new Set<string>()
  #isRunning = false

  constructor(options: OnSyncOptions) {
    this.#options = options
  }

  /** These paths have changed. */
  applied(paths: readonly string[]): void {
    for (const path of paths) this.#changed.add(path)
    if (!this.#isRunning) void this.#runAll()
  }

  async #runAll(): Promise<void> {
    const { signal, onFailure } = this.#options
    this.#isRunning = true
    while (this.#changed.size > 0 && !signal.aborted) {
      const changed = [...this.#changed].join('\n')
      this.#changed.clear()
      try {
        const code = await this.#run(encodePath(changed).length > longest ? '.' : changed)
        if (code !== 0) onFailure(`--on-sync ended with exit code ${code}`)
      } catch (error) {
        if (!signal.aborted) onFailure(`--on-sync could not be run: ${(error as Error).message}`)
      }
    }
    this.#isRunning = false
  }

  async #run(changed: string): Promise<number> {
    const { client, target, shell, remoteDir, command, write, signal } = this.#options
    const script = `cd ${quote(remoteDir)} && export WARP_CHANGED=${quote(changed)} && exec sh -c ${quote(command)} </dev/null\n`
    const exec = await openScript(client, { target, shell, name: 'kuberun-on-sync', script, signal })
    try {
      for (;;) {
        const next = await exec.output.next()
        if (!next.done) await write(next.value)
        else if (next.value.kind === 'failed') throw next.value.error
        else return next.value.code
      }
    } finally {
      exec.close()
    }
  }
}
