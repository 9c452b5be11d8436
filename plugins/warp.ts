import { UsageError } from '../src/errors.ts'
import { validate } from '../src/options.ts'
import type { RunResult } from '../src/run/io.ts'
import { checkLocalRoot } from '../src/sync/local-root.ts'
import type { PluginHelpTexts } from './help-texts.ts'
import { PluginCommand } from './plugin-command.ts'
import { print } from './print.ts'
import { printDryRun } from './print-dry-run.ts'
import { type SyncedRunOptions, toSyncedRunOptions } from './sync-options.ts'
import { type WarpFlags, warpFlags } from './warp-flags.ts'
import { warpHelp } from './warp-help.ts'

/** `kubectl warp`: one command in an ephemeral pod, to which the local folder goes up. */
export class Warp extends PluginCommand<typeof warpFlags> {
  static override readonly id: string = 'warp'

  protected override readonly table = warpFlags
  protected override readonly helpTexts: PluginHelpTexts = warpHelp

  protected override async main(values: WarpFlags, command: readonly string[]): Promise<RunResult> {
    const { plan, output } = values
    const dryRun = values['dry-run'] === 'client'
    if (command.length === 0 && !plan) throw this.usageError('no command given')
    if (plan && dryRun) throw new UsageError('--plan and --dry-run=client do not go together')
    if (output !== undefined && !plan && !dryRun) throw new UsageError('--output needs --plan or --dry-run=client')
    const options = await readOptions(values, command)
    if (dryRun) return printDryRun(options, output)
    // Loaded only now, as help and usage errors need nothing of what speaks to a cluster.
    if (plan) {
      const { warpPlan } = await import('../src/run/warp-plan.ts')
      return print(await warpPlan(options, { format: output ?? 'text' }))
    }
    const { kuberun } = await import('../src/run/kuberun.ts')
    return kuberun(options, this.connect(options))
  }
}

async function readOptions(values: WarpFlags, command: readonly string[]): Promise<SyncedRunOptions> {
  // Who asks for the plan need not know yet what is to run.
  const words = command.length === 0 && values.plan ? ['true'] : command
  const options = toSyncedRunOptions('warp', values, words)
  validate(options)
  const dir = await checkLocalRoot(options.sync.dir)
  return { ...options, sync: { ...options.sync, dir } }
}
