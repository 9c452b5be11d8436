import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '../kube/client.ts'
import type { ManifestInput } from '../pod/manifest.ts'
import { sweep } from '../pod/sweep.ts'

/** How long the sweep may hold up the end of a run that is over before it, in milliseconds. */
const extraTime = 2_000

/** The sweep of this user's earlier runs, beside a run. */
export class Sweeping implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #done: Promise<void>

  constructor(client: KubeClient, { namespace, run }: ManifestInput) {
    this.#done = sweep(client, { namespace, owner: run.owner, signal: this.#stop.signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = new AbortController()
    const late = sleep(extraTime, undefined, { signal: timer.signal }).catch(() => {})
    await Promise.race([this.#done, late])
    timer.abort()
    this.#stop.abort()
  }
}
