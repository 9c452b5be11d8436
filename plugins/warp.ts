import type { PluginHelpTexts } from './help-texts.ts'
import { SyncCommand } from './sync-command.ts'
import { type SyncedRunOptions, toSyncedRunOptions } from './sync-options.ts'
import { type WarpFlags, warpFlags } from './warp-flags.ts'
import { warpHelp } from './warp-help.ts'

/** `kubectl warp`: one command in an ephemeral pod, to which the local folder goes up. */
export class Warp extends SyncCommand<typeof warpFlags> {
  static override readonly id: string = 'warp'

  protected override readonly table = warpFlags
  protected override readonly helpTexts: PluginHelpTexts = warpHelp

  protected override toOptions(values: WarpFlags, command: readonly string[]): SyncedRunOptions {
    return toSyncedRunOptions('warp', values, command)
  }
}
