import type { Entry } from '../entry.ts'
import { tarSeconds } from '../tar/tar-header.ts'
import type { Agreed, Here } from './baseline.ts'
import type { Step } from './findings.ts'
import type { Reconciled } from './reconcile.ts'

/** What was sent up, or removed there, and a listing of the remote root that was begun after it. */
export interface Sending {
  sent: Iterable<Entry>
  removed: Iterable<string>
  scan: ReadonlyMap<string, Entry>
}

/** Notes in a baseline what has gone up. */
export function noteSent(baseline: Map<string, Agreed>, { sent, removed, scan }: Sending): void {
  for (const path of removed) {
    const remote = scan.get(path)
    // A folder stays there for what is in it and is none of ours; it is nothing new.
    if (remote?.type === 'folder') baseline.set(path, { remote })
    else baseline.delete(path)
  }
  for (const local of sent) {
    const found = scan.get(local.path)
    // What is not as it was sent the command has changed since.
    baseline.set(local.path, { local, remote: found !== undefined && isAsSent(local, found) ? found : local })
  }
}

/** The one time that a remote time can be compared with a local one: it was set from it, perhaps to whole seconds. */
function isAsSent(sent: Entry, found: Entry): boolean {
  if (sent.type === 'link' && found.type === 'link') return sent.target === found.target
  if (sent.type !== 'file' || found.type !== 'file') return sent.type === found.type
  const isItsTime = found.mtime === sent.mtime || found.mtime === tarSeconds(sent.mtime) * second
  return found.size === sent.size && isItsTime
}

const second = 1_000_000_000n

/** What of a {@link Reconciled} was done here, by path. */
export interface Done {
  /** Each that was put, as it was listed right after that. */
  written: ReadonlyMap<string, Here>
  removed: ReadonlySet<string>
}

/** Notes in a baseline what has come down, and what needed nothing. */
export function noteReturned(baseline: Map<string, Agreed>, reconciled: Reconciled, done: Done): void {
  const { steps, conflicts, settled } = reconciled
  for (const [path, agreed] of settled) {
    if (agreed === undefined) baseline.delete(path)
    else baseline.set(path, agreed)
  }
  for (const step of steps) noteStep(baseline, step, done)
  for (const { beside, agreed } of conflicts) {
    if (beside === undefined || agreed === undefined || !isSaved(beside, steps, done)) continue
    for (const [path, apart] of agreed) baseline.set(path, apart)
  }
}

function noteStep(baseline: Map<string, Agreed>, step: Step, { written, removed }: Done): void {
  if (step.does === 'remove') {
    const { path, type } = step.entry
    if (!removed.has(path)) return
    const old = baseline.get(path)
    // What the user had and the command removed is remembered: many such removals are one, however long it takes.
    if (type !== 'folder' && old?.remote !== undefined && old.isMadeThere !== true) baseline.set(path, {})
    else baseline.delete(path)
    return
  }
  const { entry, to, over } = step
  const local = written.get(to)
  if (local === undefined) return
  const old = baseline.get(to)
  const isMadeThere = old?.isMadeThere === true || (old?.remote === undefined && over === undefined)
  if (to !== entry.path) baseline.set(to, { local })
  else baseline.set(to, { local, remote: entry, ...(isMadeThere ? { isMadeThere } : {}) })
}

/** Whether all is here that was to be saved beside. */
export function isSaved(beside: string, steps: readonly Step[], { written }: Done): boolean {
  return steps.every((step) => {
    return step.does === 'remove' || !`${step.to}/`.startsWith(`${beside}/`) || written.has(step.to)
  })
}
