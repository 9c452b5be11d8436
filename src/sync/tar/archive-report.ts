import type { Entry } from '../entry.ts'

/** What became of the entries. Each is in `sent`, `vanished` or `unreadable`. */
export interface ArchiveReport {
  /** By path; files as they were when they were opened. */
  sent: Map<string, Entry>
  /** Among those sent: to be sent again, as their content may be a mixture, or be another by now. */
  changed: string[]
  /** Not in the archive: no longer there, or no longer a file. */
  vanished: string[]
  unreadable: Unreadable[]
  /** The length of the archive. */
  bytes: number
}

export interface Unreadable {
  path: string
  /** `EACCES` */
  code: string
  /** The archive has its header and not all of its content: what is extracted there is to be removed. */
  isBroken: boolean
}

export function emptyReport(): ArchiveReport {
  return { sent: new Map(), changed: [], vanished: [], unreadable: [], bytes: 0 }
}
