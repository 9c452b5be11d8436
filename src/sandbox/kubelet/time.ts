const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/**
 * Milliseconds of a time such as `500ms`, `2s`, `1.5m`.
 * @throws {Error} what is no time
 */
export function readDuration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  if (number === undefined) throw new Error(`"${text}" is no time such as 500ms or 2s`)
  return Number(number) * (units[unit] ?? 0)
}
