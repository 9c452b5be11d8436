import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'

/** The exit code of a process: 128+n where signal n ended it, 127 where it could not be started. */
export async function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => resolve(127))
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
