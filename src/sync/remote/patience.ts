import { KuberunError } from '../../errors.ts'
import type { Exec } from '../../exec/exec.ts'

/** How long an exec may take to begin, in milliseconds: a kubelet that hangs would hold us for ever. */
export const patience = 30_000

/**
 * Waits for the first that an exec says, and closes it where that is late or fails.
 * @throws {KuberunError} `connection` where it is late
 */
export async function begun<T>(exec: Exec, first: () => Promise<T>, within: number = patience): Promise<T> {
  try {
    return await answered(exec, first, within, (cause) => {
      const late = `the sync process in the pod did not begin within ${within / 1000} s`
      return new KuberunError('connection', late, { cause })
    })
  } catch (error) {
    exec.close()
    throw error
  }
}

/**
 * Waits for what an exec says, and closes it where that is late.
 * @param within in milliseconds
 * @param tooLate the error that it then fails with, of what the reader failed with
 */
export async function answered<T>(
  exec: Exec,
  answer: () => Promise<T>,
  within: number,
  tooLate: (cause: unknown) => KuberunError,
): Promise<T> {
  let isLate = false
  let late = setTimeout(() => {
    // Where this machine has slept, the answer may be here, and not be read yet.
    late = setTimeout(() => {
      isLate = true
      exec.close()
    }, afterSleep)
  }, within)
  try {
    return await answer()
  } catch (error) {
    throw isLate ? tooLate(error) : error
  } finally {
    clearTimeout(late)
  }
}

const afterSleep = 500
