import { UsageError } from '../src/errors.ts'
import { guard, type ManyFlag, type OneFlag, type Values } from './flag-kinds.ts'
import type { Setting } from './split.ts'

type Table = Readonly<Record<string, OneFlag<unknown> | ManyFlag<unknown>>>

/**
 * The words that oclif gets: each flag in its long form with its value, and only the last one of those that take one
 * value, as oclif refuses repeats.
 */
export function toOclif(settings: readonly Setting[], table: Table): string[] {
  const last = new Map(settings.map((setting) => [setting.flag, setting]))
  return settings
    .filter((setting) => table[setting.flag]?.multiple === true || last.get(setting.flag) === setting)
    .map(({ flag, value }) => `--${flag}=${guard}${value}`)
}

/**
 * Makes values of the texts that oclif parsed.
 * @throws {UsageError} names the flag and the text
 */
export function readValues<F extends Table>(texts: Readonly<Record<string, unknown>>, table: F): Values<F> {
  const entries = Object.entries(table).map(([name, flag]) => [name, readFlag(name, flag, texts[name])])
  return Object.fromEntries(entries)
}

function readFlag(name: string, flag: OneFlag<unknown>, texts: unknown): unknown {
  if (Array.isArray(texts)) return texts.map((text) => readText(name, flag, String(text)))
  if (flag.multiple === true) return []
  return typeof texts === 'string' ? readText(name, flag, texts) : undefined
}

function readText(name: string, flag: OneFlag<unknown>, text: string): unknown {
  try {
    return flag.read(text)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const label = flag.char === undefined || flag.char === name ? `--${name}` : `-${flag.char}, --${name}`
    throw new UsageError(`invalid argument "${text}" for "${label}" flag: ${error.message}`, { cause: error })
  }
}
