import { UsageError } from '../../src/errors.ts'

const spellings = new Map([
  ...['1', 't', 'T', 'true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'False', 'FALSE'].map((text) => [text, false] as const),
])

/** A bool in any of the spellings that kubectl takes (Go's `strconv.ParseBool`). */
export function readBool(text: string): boolean {
  const value = spellings.get(text)
  if (value === undefined) throw new UsageError('must be true or false')
  return value
}
