import type { KubeClient } from '../kube/client.ts'
import type { ManifestInput } from '../pod/manifest.ts'
import { sweep } from '../pod/sweep.ts'
import { waitFor } from './wait.ts'

/** How long the sweep may hold up the end of a run that is over before it, in milliseconds. */
const extraTime = 2_000

/** The sweep of this user's earlier runs, beside a run. */
export class Sweeping implements AsyncDisposable {
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined

  begin(client: KubeClient, { namespace, run }: ManifestInput): void {
    this.#done = sweep(client, { namespace, owner: run.owner, signal: this.#stop.signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#done !== undefined) await waitFor(this.#done, { atMost: extraTime })
    this.#stop.abort()
  }
}
