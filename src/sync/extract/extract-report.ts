import type { Entry } from '../entry.ts'

/** What became of the entries of an archive. One that is in neither list was not wanted. */
export interface ExtractReport {
  put: Put[]
  /** What is not here, or not as the archive has it. */
  refused: Refused[]
}

export interface Put {
  /** In the archive. */
  path: string
  /** As it is here now, and where. */
  entry: Entry
}

/** A path has what somebody else gave it: show it with `visible`. The reason is for people as it is. */
export interface Refused {
  path: string
  reason: string
}

export function emptyExtractReport(): ExtractReport {
  return { put: [], refused: [] }
}
