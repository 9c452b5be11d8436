import type { RunOptions } from '../src/options.ts'
import type { RunResult } from '../src/run/io.ts'
import { print } from './print.ts'

/** Prints the pod that a run would make. */
export async function printDryRun(options: RunOptions, format: 'yaml' | 'json' | undefined): Promise<RunResult> {
  // Loaded only now, as help and usage errors need nothing of what speaks to a cluster.
  const [{ dryRun }, { formatObject }] = await Promise.all([
    import('../src/run/dry-run.ts'),
    import('../src/run/format.ts'),
  ])
  return print(formatObject(await dryRun(options), format))
}
