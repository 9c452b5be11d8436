import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { CommandHelp } from '@oclif/core/help'
import type { OneFlag } from './flag-kinds.ts'
import { flagTexts } from './flag-texts.ts'
import type { PluginHelpTexts } from './help-texts.ts'

type Flags = Readonly<Record<string, OneFlag<unknown>>>
type Rows = Parameters<CommandHelp['renderList']>[0]

/** The help of a plugin, in the order of what people look for: how to type it, examples, flags by what they are about. */
export class PluginHelp extends CommandHelp {
  // Our texts hold no templates: there is nothing to render.
  override render = (text: string): string => text

  private readonly texts: PluginHelpTexts & { flags: Flags }

  constructor(texts: PluginHelpTexts & { flags: Flags }, config: Config, width: number) {
    // Of a command's many properties oclif's help asks for the flags only, as the other sections are ours.
    super(texts as unknown as Command.Loadable, config, { flagSortOrder: 'none', maxWidth: width })
    this.texts = texts
  }

  // oclif trims the list, and with it the indentation of the first flag.
  override renderList(rows: Rows, options: Parameters<CommandHelp['renderList']>[1]): string {
    const indentation = /^ */.exec(rows[0]?.[0] ?? '')?.[0] ?? ''
    return `${indentation}${super.renderList(rows, { ...options, spacer: '\n' })}`
  }

  protected override usage(): string {
    return `${this.config.bin} ${this.texts.usage}`
  }

  protected override description(): string {
    return this.wrap(this.texts.description)
  }

  protected override flags(flags: Command.Flag.Any[]): [string, string][] | undefined {
    if (flags.length === 0) return undefined
    const shown = flagTexts(this.texts.flags).filter(({ group }) => flags[0]?.helpGroup === group)
    return shown.map(({ label, summary, default: value }) => [
      label,
      value === undefined ? summary : `${summary} [${value}]`,
    ])
  }

  protected override sections() {
    const [usage, , flags, description] = super.sections()
    const examples = { header: 'EXAMPLES', generate: () => this.listExamples() }
    const exitCodes = { header: 'EXIT CODES', generate: () => this.listExitCodes() }
    return [usage, description, examples, flags, exitCodes].filter((section) => section !== undefined)
  }

  // Not wrapped: who copies an example must get one command.
  private listExamples(): string {
    const examples = this.texts.examples.map(([what, how]) => `# ${what}\n${how.replaceAll('{bin}', this.config.bin)}`)
    return examples.join('\n\n')
  }

  private listExitCodes(): string {
    return this.renderList(
      this.texts.exitCodes.map((row) => [...row]),
      { indentation: 2 },
    )
  }
}
