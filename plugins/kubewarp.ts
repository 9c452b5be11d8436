import { kubewarpHelp } from './kubewarp-help.ts'
import { Warp } from './warp.ts'

/** `kubewarp`: warp, with an include pattern for the first word. */
export class Kubewarp extends Warp {
  static override readonly id: string = 'kubewarp'

  protected override readonly helpTexts = kubewarpHelp
  protected override readonly takesInclude = true
}
