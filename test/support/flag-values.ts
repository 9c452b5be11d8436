import type { OneFlag, Values } from '../../plugins/flag-kinds.ts'
import { split } from '../../plugins/split.ts'
import { readValues } from '../../plugins/values.ts'

/** What a command line says by a table of flags, with what oclif does (defaults, repeats) done here. */
export function flagValues<F extends Readonly<Record<string, OneFlag<unknown>>>>(
  words: readonly string[],
  table: F,
): { values: Values<F>; command: string[] } {
  const { settings, command } = split(words, table)
  const texts = new Map<string, unknown>(Object.entries(table).map(([name, flag]) => [name, flag.default]))
  for (const { flag, value } of settings) {
    const before = texts.get(flag)
    const many = table[flag]?.multiple === true
    texts.set(flag, many ? [...(Array.isArray(before) ? before : []), value] : value)
  }
  return { values: readValues(Object.fromEntries(texts), table), command }
}
