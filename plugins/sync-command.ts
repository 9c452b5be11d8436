import { UsageError } from '../src/errors.ts'
import { validate } from '../src/options.ts'
import type { RunResult } from '../src/run/io.ts'
import { checkLocalRoot } from '../src/sync/local/local-root.ts'
import type { Values } from './flag-kinds.ts'
import { PluginCommand } from './plugin-command.ts'
import { print } from './print.ts'
import { printDryRun } from './print-dry-run.ts'
import type { SyncedRunOptions } from './sync-options.ts'
import { takeInclude } from './take-include.ts'
import type { warpFlags } from './warp-flags.ts'

/** What is the same in the plugins that sync: one command in an ephemeral pod, to which the local folder goes up. */
export abstract class SyncCommand<F extends typeof warpFlags> extends PluginCommand<F> {
  /** Whether the first word is an include pattern, as in the short forms. */
  protected readonly takesInclude: boolean = false

  /** Makes the options of the run. Reads the files of `--env-file`. */
  protected abstract toOptions(values: Values<F>, command: readonly string[]): SyncedRunOptions

  protected override async main(given: Values<F>, words: readonly string[]): Promise<RunResult> {
    const { values, command } = this.takesInclude ? this.readInclude(given, words) : { values: given, command: words }
    const { plan, output } = values
    const dryRun = values['dry-run'] === 'client'
    if (command.length === 0 && !plan) throw this.usageError('no command given')
    if (plan && dryRun) throw new UsageError('--plan and --dry-run=client do not go together')
    if (output !== undefined && !plan && !dryRun) throw new UsageError('--output needs --plan or --dry-run=client')
    const options = await this.readOptions(values, command)
    if (dryRun) return printDryRun(options, output)
    // Loaded only now, as help and usage errors need nothing of what speaks to a cluster.
    if (plan) {
      const { warpPlan } = await import('../src/run/warp-plan.ts')
      return print(await warpPlan(options, { format: output ?? 'text' }))
    }
    const { kuberun } = await import('../src/run/kuberun.ts')
    return kuberun(options, this.connect(options))
  }

  private readInclude(given: Values<F>, words: readonly string[]) {
    const { include, command } = this.reading(() => takeInclude(words))
    if (command.length === 0 && !given.plan) {
      throw this.usageError(`no command given after the include pattern "${include}"`)
    }
    return { values: { ...given, include: [...given.include, include] }, command }
  }

  private async readOptions(values: Values<F>, command: readonly string[]): Promise<SyncedRunOptions> {
    // Who asks for the plan need not know yet what is to run.
    const options = this.toOptions(values, command.length === 0 && values.plan ? ['true'] : command)
    validate(options)
    const dir = await checkLocalRoot(options.sync.dir)
    return { ...options, sync: { ...options.sync, dir } }
  }
}
