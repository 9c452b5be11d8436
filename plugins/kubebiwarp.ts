import { Biwarp } from './biwarp.ts'
import { kubebiwarpHelp } from './kubebiwarp-help.ts'

/** `kubebiwarp`: biwarp, with an include pattern for the first word. */
export class Kubebiwarp extends Biwarp {
  static override readonly id: string = 'kubebiwarp'

  protected override readonly helpTexts = kubebiwarpHelp
  protected override readonly takesInclude = true
}
