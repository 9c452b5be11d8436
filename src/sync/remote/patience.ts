import { KuberunError } from '../../errors.ts'
import type { Exec } from '../../exec/exec.ts'

/** How long an exec may take to begin, in milliseconds: a kubelet that hangs would hold us for ever. */
export const patience = 30_000

/**
 * Waits for the first that an exec says, and closes it where that is late or fails.
 * @throws {KuberunError} `connection` where it is late
 */
export async function begun<T>(exec: Exec, first: () => Promise<T>, within: number = patience): Promise<T> {
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    exec.close()
  }, within)
  try {
    return await first()
  } catch (error) {
    exec.close()
    throw isLate ? tooLate(within, error) : error
  } finally {
    clearTimeout(late)
  }
}

function tooLate(within: number, cause: unknown): KuberunError {
  return new KuberunError('connection', `the sync process in the pod did not begin within ${within / 1000} s`, {
    cause,
  })
}
