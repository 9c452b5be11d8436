import { UsageError } from '../../src/errors.ts'
import type { RemovePolicy } from '../../src/options.ts'
import { readBool } from './bool.ts'

/** The number of `-v`. */
export function readLevel(value: string): number {
  if (!/^\d{1,2}$/.test(value)) throw new UsageError('must be a whole number')
  return Number(value)
}

/** The value of `--dry-run`. kubectl takes a bool for an old spelling of client and none. */
export function readDryRun(value: string): 'client' | 'none' {
  if (value === 'server') throw new UsageError('only the client can do it: use --dry-run=client')
  if (value === 'client' || value === 'none') return value
  try {
    return readBool(value) ? 'client' : 'none'
  } catch {
    throw new UsageError('must be "client" or "none"')
  }
}

/** The value of `--rm`: a policy, or a bool as for kubectl run. */
export function readRemove(value: string): RemovePolicy {
  if (value === 'on-success' || value === 'always' || value === 'never') return value
  try {
    return readBool(value) ? 'always' : 'never'
  } catch {
    throw new UsageError('must be true, false, always, on-success or never')
  }
}

/** The value of `--restart`, of which only one makes sense here. */
export function readRestart(value: string): 'Never' {
  if (value !== 'Never') throw new UsageError('must be Never: a command runs once')
  return value
}
