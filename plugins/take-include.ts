import { UsageError } from '../src/errors.ts'
import { readPattern } from './values/pattern.ts'

/** The words of a short form, taken apart. */
export interface IncludeWords {
  include: string
  command: readonly string[]
}

/**
 * Takes the include pattern from the words of a short form: it is the first.
 * @throws {UsageError} it is missing, or can match nothing
 */
export function takeInclude([include, ...rest]: readonly string[]): IncludeWords {
  if (include === undefined) throw new UsageError('no include pattern and no command given')
  // For those who put one between the two: no command has that name.
  const command = rest[0] === '--' ? rest.slice(1) : rest
  try {
    return { include: readPattern(include), command }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(`invalid include pattern "${include}": ${error.message}`, { cause: error })
  }
}
