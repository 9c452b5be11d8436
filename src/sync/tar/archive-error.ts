import { KuberunError } from '../../errors.ts'

/**
 * What is wrong with an archive that comes from a pod.
 *
 * - `cut`: it ended before its end
 * - `damaged`: it breaks the format
 * - `unsupported`: it is right, and more than we understand
 * - `limit`: it is larger than what was agreed on
 */
export type ArchiveFault = 'cut' | 'damaged' | 'unsupported' | 'limit'

/** An archive cannot be read on. What came before is right: entries that were whole stay. */
export class ArchiveError extends KuberunError {
  override readonly name = 'ArchiveError'
  readonly fault: ArchiveFault

  constructor(fault: ArchiveFault, what: string) {
    super('sync', `cannot read the archive from the pod: ${what}`)
    this.fault = fault
  }
}

/** What breaks the format. */
export function damaged(what: string): ArchiveError {
  return new ArchiveError('damaged', what)
}
