import { UsageError } from '../../src/errors.ts'
import { patternFault } from '../../src/sync/rules/pattern-fault.ts'

/** A gitignore pattern, which may have any text that can match something. */
export function readPattern(text: string): string {
  const fault = patternFault(text)
  if (fault !== undefined) throw new UsageError(fault)
  return text
}
