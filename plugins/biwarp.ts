import { toReturningRunOptions } from './back-options.ts'
import { type BiwarpFlags, biwarpFlags } from './biwarp-flags.ts'
import { biwarpHelp } from './biwarp-help.ts'
import type { PluginHelpTexts } from './help-texts.ts'
import { SyncCommand } from './sync-command.ts'
import type { SyncedRunOptions } from './sync-options.ts'

/** `kubectl biwarp`: warp, and what the command changed comes back. */
export class Biwarp extends SyncCommand<typeof biwarpFlags> {
  static override readonly id: string = 'biwarp'

  protected override readonly table = biwarpFlags
  protected override readonly helpTexts: PluginHelpTexts = biwarpHelp

  protected override toOptions(values: BiwarpFlags, command: readonly string[]): SyncedRunOptions {
    return toReturningRunOptions('biwarp', values, command)
  }
}
