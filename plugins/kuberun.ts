import { UsageError } from '../src/errors.ts'
import { validate } from '../src/options.ts'
import type { RunResult } from '../src/run/io.ts'
import { flags } from './flags.ts'
import { kuberunHelp } from './kuberun-help.ts'
import { PluginCommand } from './plugin-command.ts'
import { printDryRun } from './print-dry-run.ts'
import { type RunFlags, toRunOptions } from './run-options.ts'

/** `kubectl kuberun`: one command in an ephemeral pod. */
export class Kuberun extends PluginCommand {
  static override readonly id = 'kuberun'

  protected override readonly table = flags
  protected override readonly helpTexts = kuberunHelp

  protected override async main(values: RunFlags, command: readonly string[]): Promise<RunResult> {
    if (command.length === 0) throw this.usageError('no command given')
    const dryRun = values['dry-run'] === 'client'
    if (values.output !== undefined && !dryRun) throw new UsageError('--output needs --dry-run=client')
    const options = toRunOptions(Kuberun.id, values, command)
    validate(options)
    if (dryRun) return printDryRun(options, values.output)
    // Loaded only now, as help and usage errors need nothing of what speaks to a cluster.
    const { kuberun } = await import('../src/run/kuberun.ts')
    return kuberun(options, this.connect(options))
  }
}
