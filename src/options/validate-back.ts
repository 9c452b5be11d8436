import { UsageError } from '../errors.ts'
import type { BackOptions } from '../options.ts'

/** The shortest time between two looks: each lists the remote root. */
const shortestInterval = 100
/** The longest time that a timer here can hold: 24 days 20 hours. */
const longestInterval = 2 ** 31 - 1

/** Finds what is wrong with how changes come back. @throws {UsageError} */
export function validateBack({ interval, patterns }: BackOptions): void {
  const ofGit = patterns.find((pattern) => /(^|\/)\.git(\/|$)/i.test(pattern))
  if (ofGit !== undefined) throw new UsageError(`--return="${ofGit}" takes nothing back: what is in a .git never comes`)
  if (!(interval >= shortestInterval)) throw new UsageError('--return-interval must be 100ms or longer')
  if (interval > longestInterval) throw new UsageError('--return-interval must be 596h or shorter')
}
