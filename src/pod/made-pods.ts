import { ApiError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import type { CreatedPod } from './create.ts'
import { removePod } from './remove.ts'

interface MadePod {
  uid?: string
  /** It exists only where it was sent twice, and the answer to the first was lost. */
  refused?: boolean
}

/** The pods of a run that may exist: named before they are created, so that a lost answer leaves none. */
export class MadePods {
  readonly #client: KubeClient
  readonly #namespace: string
  readonly #pods = new Map<string, MadePod>()

  constructor(client: KubeClient, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  get names(): string[] {
    return [...this.#pods.keys()]
  }

  /** Creates a pod. @throws what that throws */
  async make(name: string, create: () => Promise<CreatedPod>): Promise<CreatedPod> {
    const made: MadePod = {}
    this.#pods.set(name, made)
    try {
      const result = await create()
      const { uid } = result.created.metadata
      if (uid !== undefined) made.uid = uid
      return result
    } catch (error) {
      if (error instanceof ApiError) made.refused = true
      throw error
    }
  }

  /** @throws {ApiError} it may be left */
  async remove(name: string): Promise<void> {
    await removePod(this.#client, { namespace: this.#namespace, name, uid: this.#pods.get(name)?.uid })
    this.#pods.delete(name)
  }

  /** Whether a removal failed of what its creation had failed of: who may do nothing has been told that already. */
  isRefusedAgain(name: string, error: unknown): boolean {
    return this.#pods.get(name)?.refused === true && error instanceof ApiError && error.status === 403
  }
}
