import type { KubeClient } from '../kube/client.ts'
import type { BackOptions } from '../options.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import type { Reporter } from '../pod/reporter.ts'
import { closedTexts, conflictText, haltedTexts, leftText, othersTexts, remarkTexts } from './back-words.ts'
import { type Brought, bring, type Look } from './bring.ts'
import { Comparison } from './comparison.ts'
import type { Entry } from './entry.ts'
import type { Exchange } from './live.ts'
import { parentPath } from './path.ts'
import type { Agreed } from './reconcile/baseline.ts'
import { isSaved, noteReturned, noteSent } from './reconcile/note.ts'
import type { Conflict, Reconciled, Step } from './reconcile/reconcile.ts'
import { PodShell } from './remote/pod-shell.ts'
import type { Remote } from './remote/remote.ts'
import { RemoteFiles } from './remote/remote-files.ts'
import { tooLong } from './remote/remote-scan.ts'
import type { Unchanged } from './remote/sender.ts'
import { isSameEntry, RemoteView } from './remote-view.ts'
import type { Applied, Up } from './up.ts'

/** How often the pod's folder is brought once more after the command, at most: one that changes all the time never ends. */
const mostRounds = 5

/** When to look again at what may be being written, in milliseconds. */
const soon = 200

export interface BackPlace {
  client: KubeClient
  pod: Pick<EphemeralPod, 'target' | 'shell' | 'runId'>
  up: Up
  reporter: Reporter
  signal: AbortSignal
}

interface Round {
  /** What may not come yet. */
  held: ReadonlySet<string>
  growing: ReadonlySet<string>
  look: Look
}

/** What of a run came back. */
export interface Returned {
  /** Files and links that were written or deleted here. */
  files: number
  conflicts: number
  /** Something did not come back that should have, or is for the user to decide. */
  isIncomplete: boolean
}

/**
 * Brings back what the command changes in the remote root: against a baseline, which is what was there when it started.
 *
 * What it writes here does not go up as a change, and what goes up does not come back as one: both are noted on both sides.
 */
export class Back {
  readonly #place: BackPlace
  readonly #shell: PodShell
  readonly #files: RemoteFiles
  readonly #view: RemoteView
  readonly #comparison: Comparison
  readonly #baseline = new Map<string, Agreed>()
  #hasEnded = false
  /** The last look was only for what has changed here. */
  #isListingDue = false
  /** Something that was seen here has to wait for a listing. */
  #mustList = false
  /** The next look is to come soon. */
  #isSoon = false
  /** The listing by which the last round went. */
  #dealtWith: ReadonlyMap<string, Entry> | undefined
  readonly #changed = new Set<string>()
  readonly #conflicts = new Map<string, Conflict>()

  constructor(options: BackOptions, place: BackPlace) {
    this.#place = place
    const { target, shell } = place.pod
    this.#shell = new PodShell(place.client, { target, shell, signal: place.signal })
    this.#files = new RemoteFiles(this.#shell)
    this.#view = new RemoteView(this.#files)
    const known = { up: place.up, files: this.#files, view: this.#view, baseline: this.#baseline }
    this.#comparison = new Comparison(options, { ...known, runId: place.pod.runId, signal: place.signal })
  }

  /** What is there now is what the command starts from: all that has gone up, and what was there before. */
  async begin(): Promise<void> {
    const { up } = this.#place
    const listing = await this.#view.begin()
    const { entries } = listing
    for (const [path, remote] of entries) this.#baseline.set(path, { remote })
    noteSent(this.#baseline, { sent: up.sent.values(), removed: [], scan: entries })
    await this.#comparison.begin(listing)
  }

  /** What brings changes both ways while the command runs. @param interval between two looks, in milliseconds */
  exchange(interval: number): Exchange {
    const pause = (): number => this.#pause(interval)
    return {
      get pause() {
        return pause()
      },
      run: (remote) => this.#exchange(remote, interval),
    }
  }

  #pause(interval: number): number {
    // What may be whole by now is worth a look soon; what changes all the time is not.
    return this.#isSoon ? Math.min(interval / 2, soon) : this.#view.untilNext(interval)
  }

  /**
   * Looks at both sides once, while the command runs, and brings what has changed on the one to the other.
   * @returns what has gone up
   * @throws what a scan, a transfer or the remote fails with: the next round does what is left
   */
  async #exchange(remote: Remote, interval: number): Promise<Applied | undefined> {
    const { up } = this.#place
    // Who saves a file here does not wait until all is listed there; the next time he may have to.
    const isQuick = up.hasChanges && !this.#isListingDue
    const within = isQuick ? Number.POSITIVE_INFINITY : this.#mustList ? 0 : interval
    const { last, entries, unstable, growing, hasWaited, isFresh } = await this.#view.glance(within)
    this.#isListingDue = isQuick
    this.#mustList = false
    if (!hasWaited && growing.size === 0 && !up.hasChanges) {
      if (entries === this.#dealtWith) return undefined
      // All that has changed is to wait until it is the same in two listings.
      if (last === this.#dealtWith) {
        this.#isSoon = true
        return undefined
      }
    }
    const begin = performance.now()
    const look: Look = (paths) => this.#files.look(paths)
    const held = new Set([...unstable, ...this.#comparison.deciding()])
    const { reconciled, brought } = await this.#round({ held, growing, look })
    const left = reconciled.steps.filter((step) => !isDone(step, brought))
    await this.#refresh(brought, left)
    this.#view.tookToBring(growing, performance.now() - begin)
    this.#dealtWith = entries
    this.#isSoon = unstable.size > 0 && !this.#isSoon
    if (reconciled.up.length === 0) return undefined
    // What is in a folder that is to go must have been listed since.
    const isGoing = (path: string): boolean => {
      return entries.get(path)?.type === 'folder' && up.tree.entries.get(path)?.type !== 'folder'
    }
    if (!isFresh && reconciled.up.some(isGoing)) {
      this.#isListingDue = true
      this.#mustList = true
      return undefined
    }
    const unchanged: Unchanged = async (paths) => {
      const above = new Set(paths.flatMap(foldersOf))
      const now = await this.#files.look([...new Set([...paths, ...above])])
      const isMoved = new Set([...above].filter((path) => entries.get(path)?.type !== now.get(path)?.type))
      const isAsListed = (path: string): boolean => isSameEntry(entries.get(path), now.get(path))
      return new Set(paths.filter((path) => isAsListed(path) && !foldersOf(path).some((one) => isMoved.has(one))))
    }
    const applied = await up.sendOnly(remote, new Set(reconciled.up), { there: entries, unchanged })
    if (applied !== undefined) await this.#noteSent(applied)
    return applied
  }

  /**
   * Brings what is left, once the command has ended; until nothing changes there any more.
   * @throws what a scan or a transfer fails with
   */
  async finish(): Promise<Returned> {
    const { up, reporter } = this.#place
    this.#hasEnded = true
    await up.tree.retake()
    let listing = await this.#view.list()
    let undone = ''
    for (let round = 1, isLast = false; ; round += 1) {
      const { entries } = listing
      // What still changes now is what the command left running, and may only grow.
      const growing = new Set(round === 1 ? [] : entries.keys())
      const look = async (): Promise<ReadonlyMap<string, Entry>> => (listing = await this.#view.list()).entries
      const held = isLast ? new Set<string>() : this.#comparison.deciding()
      const { reconciled, brought } = await this.#round({ held, growing, look })
      const left = reconciled.steps.filter((step) => !isDone(step, brought))
      const before = undone
      undone = left.map(placeOf).join('\0')
      // What came meanwhile may have changed while it came: only a round in which nothing did is the last.
      const isOver = reconciled.steps.length === 0 || (listing.entries === entries && undone === before)
      if (!isLast && (reconciled.waiting.length > 0 || (!isOver && round < mostRounds))) {
        await this.#refresh(brought, left)
        isLast = isOver || round >= mostRounds
        continue
      }
      for (const text of leftText(left, brought.refused)) reporter.warning(text)
      const others = await this.#comparison.ofInterest(listing.others)
      for (const text of othersTexts(others)) reporter.warning(text)
      for (const text of reconciled.halted === undefined ? [] : haltedTexts(reconciled.halted)) reporter.warning(text)
      return {
        ...this.counts,
        isIncomplete:
          left.length > 0 ||
          this.#comparison.closed.length > 0 ||
          others.some(([, why]) => why === tooLong) ||
          reconciled.halted !== undefined ||
          reconciled.conflicts.some(({ outcome }) => outcome === 'left'),
      }
    }
  }

  /** Ends what reads in the pod. */
  close(): void {
    this.#shell.close()
  }

  get counts(): { files: number; conflicts: number } {
    return { files: this.#changed.size, conflicts: this.#conflicts.size }
  }

  /** Says what is to be done, does what is to be done here, and notes it. */
  async #round({ held, growing, look }: Round): Promise<{ reconciled: Reconciled; brought: Brought }> {
    const { up, pod, reporter, signal } = this.#place
    const reconciled = await this.#comparison.reconcile(held)
    const brought = await bring(reconciled.steps, {
      root: up.tree.root,
      runId: pod.runId,
      files: this.#files,
      growing,
      isMadeThere: (path) => this.#baseline.get(path)?.isMadeThere === true,
      look,
      signal,
    })
    noteReturned(this.#baseline, reconciled, brought)
    const written = new Map<string, Entry>()
    for (const [path, entry] of brought.written) if (entry.type !== 'other') written.set(path, entry)
    up.noteReturned(written.values(), brought.removed)
    this.#tell(reconciled, brought)
    for (const text of closedTexts(this.#comparison.closed)) reporter.warning(text)
    if (brought.error !== undefined) throw brought.error
    return { reconciled, brought }
  }

  /** Lists again where something was written here, and where it was not, perhaps for what somebody has changed. */
  async #refresh({ written, removed }: Brought, left: readonly Step[]): Promise<void> {
    const folders = new Set([...written.keys(), ...removed, ...left.map(placeOf)].map(parentPath))
    if (folders.size > 0) await this.#place.up.tree.refresh(folders)
  }

  async #noteSent({ paths }: Applied): Promise<void> {
    const { up } = this.#place
    const scan = await this.#files.look(paths)
    const sent = paths.map((path) => up.sent.get(path)).filter((entry) => entry !== undefined)
    const removed = paths.filter((path) => !up.sent.has(path))
    noteSent(this.#baseline, { sent, removed, scan })
    this.#comparison.noteSent(paths, scan)
    // What cannot be looked at is there all the same, as the baseline has it.
    for (const entry of sent) if (!scan.has(entry.path)) scan.set(entry.path, entry)
    // What went up has not changed there: the listing must not be older than the baseline.
    this.#view.patch(paths, scan)
  }

  #tell({ conflicts, steps }: Reconciled, brought: Brought): void {
    const { reporter } = this.#place
    for (const step of steps) {
      if (step.entry.type !== 'folder' && isDone(step, brought)) this.#changed.add(placeOf(step))
    }
    for (const conflict of conflicts) {
      // What was moved away may be moved back as long as the command runs.
      if (conflict.outcome === 'stands' || (conflict.movedTo !== undefined && !this.#hasEnded)) continue
      this.#conflicts.set(conflict.path, conflict)
      const isHere = conflict.beside === undefined || isSaved(conflict.beside, steps, brought)
      reporter.warning(conflictText(isHere ? conflict : { ...conflict, outcome: 'left' }))
    }
    for (const text of remarkTexts(brought.remarks)) reporter.warning(text)
  }
}

/** The folders that a path is in, without the root. */
function foldersOf(path: string): string[] {
  const folders: string[] = []
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) folders.push(at)
  return folders
}

function placeOf(step: Step): string {
  return step.does === 'put' ? step.to : step.entry.path
}

function isDone(step: Step, { written, removed }: Brought): boolean {
  return step.does === 'put' ? written.has(step.to) : removed.has(step.entry.path)
}
