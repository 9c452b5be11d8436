import type { RunOptions, SyncOptions } from '../src/options.ts'
import { toRunOptions } from './run-options.ts'
import type { WarpFlags } from './warp-flags.ts'

/** The options of a run that syncs. */
export type SyncedRunOptions = RunOptions & { sync: SyncOptions }

/** Makes the options of a run that syncs from its flags and its words. Reads the files of `--env-file`. */
export function toSyncedRunOptions(program: string, values: WarpFlags, command: readonly string[]): SyncedRunOptions {
  return { ...toRunOptions(program, values, command), sync: toSyncOptions(values) }
}

function toSyncOptions(values: WarpFlags): SyncOptions {
  return {
    dir: values.dir,
    remoteDir: values['remote-dir'],
    exclude: values.exclude,
    include: values.include,
    ignore: !values['no-ignore'],
    maxUpload: values['max-upload'],
    once: values.once,
    // Empty for none, as scripts pass `--on-sync "$LINE"`.
    ...(values['on-sync'] && { onSync: values['on-sync'] }),
    strict: values.strict,
  }
}
