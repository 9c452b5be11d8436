import type { BackOptions } from '../src/options.ts'
import type { BiwarpFlags } from './biwarp-flags.ts'
import { type SyncedRunOptions, toSyncedRunOptions } from './sync-options.ts'

/** Makes the options of a run that syncs both ways from its flags and its words. Reads the files of `--env-file`. */
export function toReturningRunOptions(
  program: string,
  values: BiwarpFlags,
  command: readonly string[],
): SyncedRunOptions {
  const options = toSyncedRunOptions(program, values, command)
  return { ...options, sync: { ...options.sync, back: toBackOptions(values) } }
}

function toBackOptions(values: BiwarpFlags): BackOptions {
  return {
    patterns: values.return,
    onConflict: values['on-conflict'],
    allowMassDelete: values['allow-mass-delete'],
    interval: values['return-interval'],
  }
}
