import { Command } from '@oclif/core/command'
import { Config } from '@oclif/core/config'
import { UsageError } from '../src/errors.ts'
import { escapeControls } from '../src/escape.ts'
import type { RunIO, RunResult, RunSignal } from '../src/run/io.ts'
import { checkWords } from './encoding.ts'
import type { Values } from './flag-kinds.ts'
import type { flags } from './flags.ts'
import type { PluginHelpTexts } from './help-texts.ts'
import { print } from './print.ts'
import { catchSignals } from './signals.ts'
import { split } from './split.ts'
import { openStdin, openStdout } from './standard-streams.ts'
import { readValues, toOclif } from './values.ts'
import { version } from './version.ts'

// oclif hears the errors of stdout and throws them where nobody can catch them. Those who write hear them themselves.
process.stdout.removeAllListeners('error')

/** A plugin's class. */
export interface PluginClass {
  new (words: string[], config: Config): PluginCommand
  id: string
}

/**
 * What is the same in all our plugins: their flags, help and version, and how words become typed options.
 * `F` is the plugin's table of flags, which may have more than all have.
 */
export abstract class PluginCommand<F extends typeof flags = typeof flags> extends Command {
  protected abstract readonly table: F
  protected abstract readonly helpTexts: PluginHelpTexts

  /** Aborts when something failed that nobody caught. */
  crashed: AbortSignal = new AbortController().signal
  /** The signals that are to have no effect. */
  ignored: ReadonlySet<RunSignal> = new Set()
  /** Whether errors are told with their stack. */
  verbose = Boolean(process.env.DEBUG)

  /**
   * Makes the command of a program's words.
   * @param typed what the user typed to get here: `kubectl kuberun`, or `kuberun`
   */
  static create(Plugin: PluginClass, typed: string, words: readonly string[]): PluginCommand {
    // Not loaded: that would read files of oclif's own, look for WSL, and fail for a user without a passwd entry.
    const config = Object.assign(new Config({ root: '' }), {
      bin: typed,
      name: Plugin.id,
      version,
      topicSeparator: ' ' as const,
      runHook: async () => ({ successes: [], failures: [] }),
    })
    return new Plugin([...words], config)
  }

  /** Does what the words say, and tells how it ended. */
  override async run(): Promise<RunResult> {
    checkWords(this.argv, warn)
    const { values, command } = await this.readWords()
    this.verbose ||= values.v >= 9
    if (values.help) return this.help()
    if (values.version) return print(`${this.config.name} ${version}\n`)
    return this.main(values, command)
  }

  /** The plugin's own work. */
  protected abstract main(values: Values<F>, command: readonly string[]): Promise<RunResult>

  /**
   * The streams and signals of this process. From the call on, signals no longer end it.
   * @throws {KuberunError} `stdio`: stdin is wanted and cannot be read
   */
  protected connect(wanted: { stdin: boolean }): RunIO {
    const stdin = wanted.stdin ? openStdin() : process.stdin
    const signals = catchSignals(process, this.ignored)
    return { stdin, stdout: openStdout(), stderr: process.stderr, signals, signal: this.crashed }
  }

  /** A mistake in the words themselves, for which the help is of use. */
  protected usageError(message: string, cause?: unknown): UsageError {
    return new UsageError(message, { hint: `see "${this.config.bin} --help"`, cause })
  }

  /** Reads words: what is wrong with them is a {@link usageError}. */
  protected reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      throw this.usageError(error.message, error)
    }
  }

  private async readWords() {
    const { table } = this
    const { settings, command } = this.reading(() => split(this.argv, table))
    const parsed = await this.parse({ flags: table }, toOclif(settings, table))
    return { values: this.reading(() => readValues(parsed.flags, table)), command }
  }

  private async help(): Promise<RunResult> {
    const { PluginHelp } = await import('./help.ts')
    // Lines of more than 120 columns are hard to follow.
    const width = Math.min(process.stdout.columns || Number(process.env.COLUMNS) || 80, 120)
    return print(`${new PluginHelp({ ...this.helpTexts, flags: this.table }, this.config, width).generate()}\n`)
  }
}

function warn(message: string): void {
  process.stderr.write(`warning: ${escapeControls(message)}\n`)
}
