import type { Store } from '../cluster/store.ts'
import type { Runtime } from '../runtime.ts'
import type { Faults } from './faults.ts'

/** The one node of the sandbox, and what its kubelet works with. */
export interface Node {
  name: string
  hostIP: string
  store: Store
  runtime: Runtime
  /** Where the pods' volumes are. */
  folder: string
  /** What fails for all pods. */
  faults: Faults
  /** An address for a pod. */
  nextIP(): string
  /** Has the API server go away for a moment. */
  restartApi(): void
}
