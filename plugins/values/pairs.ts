import { UsageError } from '../../src/errors.ts'

/** One `KEY=VALUE`; the value may hold anything, a `=` too. */
export function readPair(text: string): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new UsageError('must be KEY=VALUE')
  return Object.fromEntries([[text.slice(0, equals), text.slice(equals + 1)]])
}

/** `KEY=VALUE,KEY=VALUE`, for what can hold no comma: labels, quantities. */
export function readPairs(text: string): Record<string, string> {
  return merge(text.split(',').map((part) => readListed(part)))
}

/** All pairs in one; of equal keys the last one counts. */
export function merge(groups: readonly Record<string, string>[]): Record<string, string> {
  return Object.fromEntries(groups.flatMap((group) => Object.entries(group)))
}

function readListed(text: string): Record<string, string> {
  if (text.indexOf('=') <= 0) throw new UsageError('must be KEY=VALUE, or several with commas between them')
  return readPair(text)
}
