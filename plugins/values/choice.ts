import { UsageError } from '../../src/errors.ts'

/** Makes the reader of a value that is one of a few words. */
export function oneOf<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((one) => one === text)
    if (choice === undefined) throw new UsageError(`must be ${list(choices)}`)
    return choice
  }
}

function list(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `"${choice}"`)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}
