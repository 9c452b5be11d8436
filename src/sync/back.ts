import type { KubeClient } from '../kube/client.ts'
import type { BackOptions } from '../options.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import type { Reporter } from '../pod/reporter.ts'
import { conflictText, haltedText, leftText, othersText, remarkTexts, rulesText, unreadableText } from './back-words.ts'
import { type Brought, bring, type Look } from './bring.ts'
import type { Entry } from './entry.ts'
import type { Exchange } from './live.ts'
import { isSame } from './local/changes.ts'
import { localHashes } from './local/local-hash.ts'
import { parentPath } from './path.ts'
import { PodRules } from './pod-rules.ts'
import type { Agreed } from './reconcile/baseline.ts'
import { unsentHere } from './reconcile/here.ts'
import { idleFolders } from './reconcile/idle-folders.ts'
import { noteReturned, noteSent } from './reconcile/note.ts'
import { placesToLookAt } from './reconcile/places.ts'
import { type Conflict, type Reconciled, reconcile, type Sides, type Step } from './reconcile/reconcile.ts'
import { type ComesBack, returnFilter } from './reconcile/return-filter.ts'
import { completed, emptyIn } from './remote/completed.ts'
import { PodShell } from './remote/pod-shell.ts'
import type { Remote } from './remote/remote.ts'
import { RemoteFiles, type RemoteListing } from './remote/remote-files.ts'
import type { Unchanged } from './remote/sender.ts'
import type { FolderFilter } from './rules/filter.ts'
import { foldsCase } from './rules/repository.ts'
import type { Applied, Up } from './up.ts'

/** How often the pod's folder is brought once more after the command, at most: one that changes all the time never ends. */
const mostRounds = 5

/** When to look again at what may be being written, in milliseconds. */
const soon = 200

/** What changes all the time comes after so long, in milliseconds, though it may not be whole yet. */
const longestWait = 2_000
/** To bring that takes this part of the time. */
const share = 0.05

export interface BackPlace {
  client: KubeClient
  pod: Pick<EphemeralPod, 'target' | 'shell' | 'runId'>
  up: Up
  reporter: Reporter
  signal: AbortSignal
}

interface Round {
  unstable: ReadonlySet<string>
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
  readonly #options: BackOptions
  readonly #place: BackPlace
  readonly #shell: PodShell
  readonly #files: RemoteFiles
  readonly #podRules: PodRules
  readonly #baseline = new Map<string, Agreed>()
  /** The last listing of the remote root. */
  #scan: ReadonlyMap<string, Entry> = new Map()
  #fold = false
  /** The filter with the ignore files that the command made or changed; undefined without any. */
  #there: FolderFilter | undefined
  /** What was there and can come nowhere: sockets, FIFOs, devices. */
  #others: ReadonlyMap<string, string> = new Map()
  /** What was said of what could not be read then. */
  #unreadable: ReadonlySet<string> = new Set()
  /** Folders that nobody need look into, by the filters as they were the last time. */
  #idle: ReadonlySet<string> = new Set()
  /** The last listing of all, as it came, and as it is taken. */
  #listing: { came: RemoteListing; taken: RemoteListing } | undefined
  /** When all of it was listed last, on the clock of `performance.now`. */
  #scannedAt = 0
  /** How long that took, in milliseconds. */
  #scanTime = 0
  /** What was not the same in the last two listings. */
  #unsettled: ReadonlySet<string> = new Set()
  /** The last look was only for what has changed here. */
  #isListingDue = false
  /** The next look is to come soon. */
  #isSoon = false
  /** The listing by which the last round went. */
  #dealtWith: ReadonlyMap<string, Entry> | undefined
  /** When what changes all the time may come, on the clock of `performance.now`. */
  readonly #due = new Map<string, number>()
  readonly #changed = new Set<string>()
  readonly #conflicts = new Map<string, Conflict>()

  constructor(options: BackOptions, place: BackPlace) {
    this.#options = options
    this.#place = place
    const { target, shell } = place.pod
    this.#shell = new PodShell(place.client, { target, shell, signal: place.signal })
    this.#files = new RemoteFiles(this.#shell)
    this.#podRules = new PodRules(this.#files)
  }

  /** What is there now is what the command starts from: all that has gone up, and what was there before. */
  async begin(): Promise<void> {
    const { up } = this.#place
    this.#fold = await foldsCase(up.tree.root)
    const { entries, others, unreadable } = await this.#files.scan()
    this.#others = others
    this.#unreadable = new Set(unreadable)
    for (const [path, remote] of entries) this.#baseline.set(path, { remote })
    noteSent(this.#baseline, { sent: up.sent.values(), removed: [], scan: entries })
    this.#podRules.noteSent(up.sent.keys(), entries)
    this.#scan = entries
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

  /** From the beginning of one listing to that of the next it is an interval, as long as we list for half of the time at most. */
  #pause(interval: number): number {
    // What may be whole by now is worth a look soon; what changes all the time is not.
    if (this.#isSoon) return Math.min(interval / 2, soon)
    return Math.max(this.#scannedAt + interval - performance.now(), this.#scanTime)
  }

  /**
   * Looks at both sides once, while the command runs, and brings what has changed on the one to the other.
   * @returns what has gone up
   * @throws what a scan, a transfer or the remote fails with: the next round does what is left
   */
  async #exchange(remote: Remote, interval: number): Promise<Applied | undefined> {
    const { up } = this.#place
    const last = this.#scan
    // Who saves a file here does not wait until all is listed there; the next time he may have to.
    const isQuick = up.hasChanges && !this.#isListingDue
    const entries = await this.#listAgain(isQuick ? Number.POSITIVE_INFINITY : interval)
    this.#isListingDue = isQuick
    const unstable = differing(last, entries)
    const growing = this.#growing(unstable, last)
    const wasWaiting = this.#unsettled.size > 0
    this.#unsettled = unstable
    if (!wasWaiting && growing.size === 0 && !up.hasChanges) {
      if (entries === this.#dealtWith) return undefined
      // All that has changed is to wait until it is the same in two listings.
      if (last === this.#dealtWith) {
        this.#isSoon = true
        return undefined
      }
    }
    const begin = performance.now()
    const look: Look = (paths) => this.#files.look(paths)
    const { reconciled, brought } = await this.#round({ unstable, growing, look })
    const left = reconciled.steps.filter((step) => !isDone(step, brought))
    await this.#refresh(brought, left)
    for (const path of growing) this.#due.set(path, performance.now() + (performance.now() - begin) / share)
    this.#dealtWith = entries
    this.#isSoon = unstable.size > 0 && !this.#isSoon
    if (reconciled.up.length === 0) return undefined
    // What is in a folder that is to go must have been listed since.
    const isGoing = (path: string): boolean => {
      return entries.get(path)?.type === 'folder' && up.tree.entries.get(path)?.type !== 'folder'
    }
    if (isQuick && reconciled.up.some(isGoing)) return undefined
    const unchanged: Unchanged = async (paths) => {
      const now = await this.#files.look(paths)
      return new Set(paths.filter((path) => isSameEntry(entries.get(path), now.get(path))))
    }
    const applied = await up.sendOnly(remote, new Set(reconciled.up), { there: entries, unchanged })
    if (applied !== undefined) await this.#noteSent(applied)
    return applied
  }

  /** Lists all that is there. What is in folders that nobody looks into, or may, is taken to be as it was. */
  async #listAll(): Promise<RemoteListing> {
    const came = await this.#files.scan(this.#idle)
    if (this.#listing?.came === came) return this.#listing.taken
    const { entries, unreadable, unread } = came
    const isWhole = unreadable.length === 0 && unread.size === 0
    const empty = unreadable.length === 0 ? new Set() : emptyIn(entries)
    const isUnknown = (folder: string): boolean => empty.has(folder) || unread.has(folder)
    const taken = {
      ...came,
      entries: isWhole ? entries : completed(entries, this.#scan, isUnknown),
      // What the command did not make is none of its results.
      unreadable: unreadable.filter((words) => !this.#unreadable.has(words)),
    }
    for (const words of taken.unreadable.slice(0, 1)) this.#place.reporter.warning(unreadableText(words))
    this.#listing = { came, taken }
    return taken
  }

  /** Lists what is there: soon after the last time only what was not the same then. */
  async #listAgain(interval: number): Promise<ReadonlyMap<string, Entry>> {
    const isRecent = performance.now() - this.#scannedAt < interval
    if (!isRecent) {
      this.#scannedAt = performance.now()
      this.#scan = (await this.#listAll()).entries
      this.#scanTime = performance.now() - this.#scannedAt
    } else if (this.#unsettled.size > 0) {
      const now = await this.#files.look([...this.#unsettled])
      const changed = [...this.#unsettled].filter((path) => !isSameEntry(this.#scan.get(path), now.get(path)))
      if (changed.length > 0) this.#scan = patched(this.#scan, changed, now)
    }
    return this.#scan
  }

  /** Of what is unstable, takes out what has been so for long: files that only grow, like a log, as far as that is known. */
  #growing(unstable: Set<string>, last: ReadonlyMap<string, Entry>): Set<string> {
    const now = performance.now()
    for (const path of this.#due.keys()) if (!unstable.has(path)) this.#due.delete(path)
    const growing = new Set<string>()
    for (const path of unstable) {
      const due = this.#due.get(path)
      if (due === undefined) this.#due.set(path, now + longestWait)
      else if (due <= now && hasGrown(last.get(path), this.#scan.get(path))) growing.add(path)
    }
    for (const path of growing) unstable.delete(path)
    return growing
  }

  /**
   * Brings what is left, once the command has ended; until nothing changes there any more.
   * @throws what a scan or a transfer fails with
   */
  async finish(): Promise<Returned> {
    const { up, reporter } = this.#place
    await up.tree.retake()
    // By the filters as they are now, something may come from there.
    this.#idle = new Set()
    let listing = await this.#listAll()
    let undone = ''
    for (let round = 1; ; round += 1) {
      const { entries } = listing
      this.#scan = entries
      // What still changes now is what the command left running, and may only grow.
      const growing = new Set(round === 1 ? [] : entries.keys())
      const look = async (): Promise<ReadonlyMap<string, Entry>> => (listing = await this.#listAll()).entries
      const { reconciled, brought } = await this.#round({ unstable: new Set(), growing, look })
      const left = reconciled.steps.filter((step) => !isDone(step, brought))
      const before = undone
      undone = left.map(placeOf).join('\0')
      // What came meanwhile may have changed while it came: only a round in which nothing did is the last.
      const isOver = reconciled.steps.length === 0 || (listing.entries === entries && undone === before)
      if (!isOver && round < mostRounds) {
        await this.#refresh(brought, left)
        continue
      }
      for (const text of leftText(left, brought.refused)) reporter.warning(text)
      for (const text of othersText(await this.#ofInterest(listing.others))) reporter.warning(text)
      if (reconciled.halted !== undefined) reporter.warning(haltedText(reconciled.halted))
      return {
        ...this.counts,
        isIncomplete:
          left.length > 0 ||
          listing.unreadable.length > 0 ||
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
  async #round({ unstable, growing, look }: Round): Promise<{ reconciled: Reconciled; brought: Brought }> {
    const { up, pod, reporter, signal } = this.#place
    await this.#readPodRules()
    const reconciled = await this.#reconcile(unstable)
    const usersRules = await up.rules.texts(reconciled.steps.map(placeOf))
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
    if (up.rules.note(usersRules, written, brought.removed)) reporter.warning(rulesText)
    this.#tell(reconciled, brought)
    if (brought.error !== undefined) throw brought.error
    return { reconciled, brought }
  }

  /** Of what nothing can bring back, what the command made where things come back. */
  async #ofInterest(others: ReadonlyMap<string, string>): Promise<(readonly [path: string, why: string])[]> {
    const made = [...others].filter(([path]) => !this.#others.has(path))
    const comesBack = await this.#filter(made.map(([path]) => path))
    return made.filter(([path]) => comesBack(path, false))
  }

  #filter(paths: Iterable<string>): Promise<ComesBack> {
    const { folders } = this.#place.up.tree
    const { patterns } = this.#options
    const around = { folders, patterns, fold: this.#fold, there: this.#there }
    return returnFilter(new Set([...paths].map(parentPath)), around)
  }

  async #readPodRules(): Promise<void> {
    const { up, signal } = this.#place
    await this.#podRules.read(this.#scan, signal)
    this.#there = this.#podRules.isEmpty ? undefined : await up.tree.filterWith((path) => this.#podRules.at(path))
  }

  async #reconcile(unstable: ReadonlySet<string>): Promise<Reconciled> {
    const { up, pod, signal } = this.#place
    const { onConflict, allowMassDelete } = this.#options
    const [local, remote] = [up.tree.entries, this.#scan]
    const comesBack = await this.#filter([...remote.keys(), ...this.#baseline.keys()])
    // What --return names may be anywhere.
    this.#idle = this.#options.patterns.length === 0 ? idleFolders(remote, local, comesBack) : new Set()
    const known = { baseline: this.#baseline, local, remote, comesBack }
    const unsent = await unsentHere(up.tree.root, placesToLookAt(known), { goes: local, signal })
    const sides: Sides = { ...known, unsent }
    const options = { policy: { onConflict, allowMassDelete, runId: pod.runId }, unstable }
    const first = reconcile(sides, options)
    if (first.toHash.length === 0) return first
    return reconcile(sides, { ...options, contents: await this.#compare(first.toHash) })
  }

  async #compare(paths: readonly string[]): Promise<Map<string, boolean>> {
    const { up, signal } = this.#place
    const [here, there] = await Promise.all([localHashes(up.tree.root, paths, signal), this.#files.hash(paths)])
    return new Map(paths.map((path) => [path, here.get(path) !== undefined && here.get(path) === there.get(path)]))
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
    this.#podRules.noteSent(paths, scan)
    // What went up has not changed there: the listing must not be older than the baseline.
    this.#scan = patched(this.#scan, paths, scan)
  }

  #tell({ conflicts, steps }: Reconciled, brought: Brought): void {
    const { reporter } = this.#place
    for (const step of steps) {
      if (step.entry.type !== 'folder' && isDone(step, brought)) this.#changed.add(placeOf(step))
    }
    for (const conflict of conflicts) {
      if (conflict.outcome === 'stands') continue
      this.#conflicts.set(conflict.path, conflict)
      reporter.warning(conflictText(conflict))
    }
    for (const text of remarkTexts(brought.remarks)) reporter.warning(text)
  }
}

function placeOf(step: Step): string {
  return step.does === 'put' ? step.to : step.entry.path
}

function isDone(step: Step, { written, removed }: Brought): boolean {
  return step.does === 'put' ? written.has(step.to) : removed.has(step.entry.path)
}

function hasGrown(before: Entry | undefined, now: Entry | undefined): boolean {
  return before?.type === 'file' && now?.type === 'file' && before.ino === now.ino && before.size <= now.size
}

/** What is not the same, or not there, in both. */
function differing(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>): Set<string> {
  const paths = new Set<string>()
  if (before === now) return paths
  for (const path of before.keys()) if (!now.has(path)) paths.add(path)
  for (const [path, entry] of now) if (!isSameEntry(before.get(path), entry)) paths.add(path)
  return paths
}

function isSameEntry(one: Entry | undefined, other: Entry | undefined): boolean {
  return one === undefined || other === undefined ? one === other : isSame(one, other)
}

/** A listing in which these paths are as they are now. */
function patched(listing: ReadonlyMap<string, Entry>, paths: readonly string[], now: ReadonlyMap<string, Entry>) {
  const entries = new Map(listing)
  for (const path of paths) {
    const entry = now.get(path)
    if (entry === undefined) entries.delete(path)
    else entries.set(path, entry)
  }
  return entries
}
