import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunResult } from '../src/run/io.ts'
import { takeIgnoredSignals } from './ignored-signals.ts'
import { leave } from './leave.ts'
import { type PluginClass, PluginCommand } from './plugin-command.ts'
import { describeError } from './report.ts'

/** The exit code of all that is our own failure, as for `docker run` and GNU timeout. */
const failed: RunResult = { exitCode: 125 }

/** How long a run may take to remove its pod after a crash of our own, in milliseconds. */
const cleanUpTime = 15_000

/** Runs a plugin as this process, to its end. */
export async function launch(Plugin: PluginClass): Promise<never> {
  const [, path = '', ...words] = process.argv
  const ignored = takeIgnoredSignals(process.env)
  for (const name of ignored) process.on(`SIG${name}`, () => undefined)
  const command = PluginCommand.create(Plugin, typedAs(path, Plugin.id), words)
  command.ignored = ignored
  const fail = (error: unknown) => {
    process.stderr.write(describeError(error, command.verbose))
    return failed
  }
  // stderr is the command's: what Node warns of is of no use to who typed it.
  if (!command.verbose) process.removeAllListeners('warning')
  // Nobody is left to tell of an error on stderr.
  process.stderr.on('error', () => undefined)
  const crash = new AbortController()
  command.crashed = crash.signal
  const running = command.run().catch((error: unknown) => (crash.signal.aborted ? failed : fail(error)))
  const onCrash = async (error: unknown): Promise<void> => {
    fail(error)
    crash.abort(error)
    await Promise.race([running, sleep(cleanUpTime)])
    await leave(failed)
  }
  process.on('uncaughtException', (error) => void onCrash(error))
  process.on('unhandledRejection', (error) => void onCrash(error))
  // Nothing left to wait for, and the run has not ended: Node would exit with 0.
  process.on('beforeExit', () => void onCrash(new Error('the run came to no end')))
  return leave(await running)
}

// kubectl starts `kubectl-kuberun` for `kubectl kuberun`.
function typedAs(path: string, id: string): string {
  return basename(path).startsWith('kubectl-') ? `kubectl ${id}` : id
}
