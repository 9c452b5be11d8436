import { UsageError } from '../errors.ts'

type Fault = (text: string) => string | undefined

/**
 * Throws what a rule finds wrong.
 * @param what as the user knows the thing: `label key`
 */
export function check(what: string, text: string, fault: Fault): void {
  const found = fault(text)
  if (found !== undefined) throw new UsageError(`invalid ${what} "${text}": ${found}`)
}

/** What no single-line text of a user's may hold. */
export function controlFault(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- these are what it is for
  return /[\u0000-\u001f\u007f]/.test(text) ? 'must not hold control characters' : undefined
}

/** NUL ends a C string: no argument and no environment variable can hold it. */
export function nulFault(text: string): string | undefined {
  return text.includes('\0') ? 'must not hold a NUL byte' : undefined
}
