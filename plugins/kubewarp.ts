import type { RunResult } from '../src/run/io.ts'
import { kubewarpHelp } from './kubewarp-help.ts'
import { takeInclude } from './take-include.ts'
import { Warp } from './warp.ts'
import type { WarpFlags } from './warp-flags.ts'

/** `kubewarp`: warp, with an include pattern for the first word. */
export class Kubewarp extends Warp {
  static override readonly id: string = 'kubewarp'

  protected override readonly helpTexts = kubewarpHelp

  protected override async main(values: WarpFlags, words: readonly string[]): Promise<RunResult> {
    const { include, command } = this.reading(() => takeInclude(words))
    if (command.length === 0 && !values.plan) {
      throw this.usageError(`no command given after the include pattern "${include}"`)
    }
    return super.main({ ...values, include: [...values.include, include] }, command)
  }
}
