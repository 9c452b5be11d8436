import type { Entry } from '../entry.ts'

/** What is at a path here, whether it goes or not; `other` is what no tree holds: a socket, a FIFO, a device. */
export type Here = Entry | { type: 'other'; path: string }

/**
 * One path as it was when the two sides last had the same there. Each side is only ever compared with its own listing:
 * the two have other clocks, other inodes, and sometimes other modes. Without either, it is gone on both sides.
 */
export interface Agreed {
  local?: Here | undefined
  /** As it was listed after we wrote it: what we sent is no change of the command. */
  remote?: Entry | undefined
  /** The sides are not the same, and this has been dealt with: nothing of either is written over the other. */
  isApart?: true | undefined
  /** The user had it here, the pod has the same from elsewhere: it is still not ours to write over. */
  isNeverSent?: true | undefined
  /** The command made it, and we brought it: when the command removes it again, nobody loses anything of theirs. */
  isMadeThere?: true
}

/** By path. */
export type Baseline = ReadonlyMap<string, Agreed>
