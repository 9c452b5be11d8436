import { createHash } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { customAlphabet } from 'nanoid'
import { thisProcess } from './client-process.ts'

/** What a pod's name may hold; 12 of these collide once in 10^9 runs of a namespace that holds thousands. */
const newId = customAlphabet('abcdefghijklmnopqrstuvwxyz0123456789', 12)

/** One invocation, named before the cluster knows of it: a create whose answer is lost can be recognised. */
export interface RunIdentity {
  runId: string
  /** Of the pod, and of the guard Job beside it. */
  name: string
  /** `user@host` of whoever started the run. */
  owner: string
  started: Date
  /** The client's process, see {@link thisProcess}. */
  client: string
}

export function newRun(program: string): RunIdentity {
  const runId = newId()
  return {
    runId,
    name: `${program}-${runId}`,
    owner: `${userName()}@${hostname()}`,
    started: new Date(),
    client: thisProcess(),
  }
}

/** An owner as a label's value can hold it. */
export function ownerLabel(owner: string): string {
  return createHash('sha256').update(owner).digest('hex').slice(0, 16)
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container's uid often has no name.
    return String(process.getuid?.() ?? 'unknown')
  }
}
