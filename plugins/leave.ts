import { constants } from 'node:os'
import type { EndSignal, RunResult } from '../src/run/io.ts'

/**
 * Ends this process as the run ended, once all output is out. It does not wait for stdin: one that stays open
 * (`sleep 100 | kuberun true`) must not keep us.
 */
export async function leave(result: RunResult): Promise<never> {
  if (!result.unread) {
    await drain(process.stdout)
    await drain(process.stderr)
  }
  if (result.signal !== undefined) dieBy(result.signal)
  process.exit(result.exitCode)
}

// A shell stops its loop, and xargs and make stop, only for a child that a signal ended.
function dieBy(signal: EndSignal): never {
  const name = `SIG${signal}` as const
  process.removeAllListeners(name)
  // Windows knows no such end, and would give 1 for the exit code.
  if (process.platform !== 'win32') process.kill(process.pid, name)
  process.exit(128 + constants.signals[name])
}

function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve()
    stream.once('close', resolve)
    stream.write('', () => resolve())
  })
}
