/** What a plugin's help says beside its flags. */
export interface PluginHelpTexts {
  /** What follows the program's name in the usage line. */
  usage: string
  description: string
  /** What each is for, and what to type; `{bin}` stands for the program's name as the user typed it. */
  examples: readonly (readonly [what: string, how: string])[]
  exitCodes: readonly (readonly [code: string, meaning: string])[]
}
