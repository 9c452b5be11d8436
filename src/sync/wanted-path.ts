import type { Want } from './extract-options.ts'
import { pathFault } from './path-fault.ts'
import { Refusal } from './refusal.ts'
import type { TarEntry } from './tar-entry.ts'

/**
 * Where an entry is to be. A path that was made from another may be as bad.
 * @throws {Refusal} it is none that we write to
 */
export function pathWanted(entry: TarEntry, want: Exclude<Want, 'skip'>): string {
  const path = want === 'put' ? entry.path : want.as
  const fault = pathFault(path)
  if (fault !== undefined) throw new Refusal(fault)
  return path
}
