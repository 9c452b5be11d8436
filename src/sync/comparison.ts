import type { BackOptions } from '../options.ts'
import type { Entry } from './entry.ts'
import { rulesNamesIn } from './local/listing.ts'
import { localHashes } from './local/local-hash.ts'
import { parentPath } from './path.ts'
import { PodRules } from './pod-rules.ts'
import type { Baseline } from './reconcile/baseline.ts'
import { unsentHere } from './reconcile/here.ts'
import { idleFolders } from './reconcile/idle-folders.ts'
import { placesToLookAt } from './reconcile/places.ts'
import { type Reconciled, reconcile, type Sides } from './reconcile/reconcile.ts'
import { type ReturnFilter, returnFilter } from './reconcile/return-filter.ts'
import type { RemoteFiles } from './remote/remote-files.ts'
import type { Scan } from './remote/remote-scan.ts'
import type { RemoteView } from './remote-view.ts'
import type { FolderFilter } from './rules/filter.ts'
import type { Up } from './up.ts'

export interface ComparisonPlace {
  up: Up
  files: RemoteFiles
  view: RemoteView
  baseline: Baseline
  runId: string
  signal: AbortSignal
}

/** Compares the two sides: gathers what reconcile has to know, and asks it. Changes nothing on either. */
export class Comparison {
  readonly #options: BackOptions
  readonly #place: ComparisonPlace
  readonly #podRules: PodRules
  #fold = false
  /** The filter with the ignore files that the command made or changed; undefined without any. */
  #there: FolderFilter | undefined
  /** What was there and can come nowhere: sockets, FIFOs, devices. */
  #others: ReadonlyMap<string, string> = new Map()
  /** Folders that something may come from and that may not be read there, as they were last compared. */
  closed: readonly string[] = []

  constructor(options: BackOptions, place: ComparisonPlace) {
    this.#options = options
    this.#place = place
    this.#podRules = new PodRules(place.files)
  }

  /** Notes what is there before the command. */
  async begin({ entries, others }: Scan): Promise<void> {
    const { up } = this.#place
    this.#fold = await up.tree.foldsCase()
    this.#others = others
    this.noteSent(up.sent.keys(), entries)
  }

  /** Notes that what is there is the user's. */
  noteSent(paths: Iterable<string>, scan: ReadonlyMap<string, Entry>): void {
    this.#podRules.noteSent(paths, scan)
  }

  /**
   * Says what is to be done.
   * @param held paths at which what the command did has to wait
   */
  async reconcile(held: ReadonlySet<string>): Promise<Reconciled> {
    await this.#readPodRules()
    const { up, view, baseline, runId, signal } = this.#place
    const { onConflict, allowMassDelete } = this.#options
    const [local, remote] = [up.tree.entries, view.entries]
    const { closed } = view
    const { comesBack, mayComeFrom } = await this.#filter([...remote.keys(), ...baseline.keys()], closed)
    this.closed = [...closed].filter(mayComeFrom)
    // What --return names may be anywhere.
    view.idle = this.#options.patterns.length === 0 ? idleFolders(remote, local, comesBack) : new Set()
    const known = { baseline, local, remote, comesBack }
    const unsent = await unsentHere(up.tree.root, placesToLookAt(known), { goes: local, signal })
    const sides: Sides = { ...known, unsent }
    const options = { policy: { onConflict, allowMassDelete, runId }, unstable: held }
    const first = reconcile(sides, options)
    if (first.toHash.length === 0) return first
    return reconcile(sides, { ...options, contents: await this.#compare(first.toHash) })
  }

  /**
   * What decides what goes, here or there. It comes when nothing goes any more: otherwise whoever writes in the pod could
   * have anything sent there.
   */
  deciding(): Set<string> {
    const { tree } = this.#place.up
    const paths = new Set<string>()
    for (const known of [this.#place.baseline, this.#place.view.entries]) {
      for (const path of known.keys()) if (tree.decides(path)) paths.add(path)
    }
    return paths
  }

  /** Of what nothing can bring back, what the command made where things come back. */
  async ofInterest(others: ReadonlyMap<string, string>): Promise<(readonly [path: string, why: string])[]> {
    const made = [...others].filter(([path]) => !this.#others.has(path))
    const { comesBack } = await this.#filter(made.map(([path]) => path))
    return made.filter(([path]) => comesBack(path, false))
  }

  #filter(paths: Iterable<string>, folders: Iterable<string> = []): Promise<ReturnFilter> {
    const { tree } = this.#place.up
    const { patterns } = this.#options
    const namesHere = (path: string): ReadonlySet<string> => rulesNamesIn(tree.root, path)
    const isShared = (path: string): boolean => this.#place.baseline.get(path)?.local !== undefined
    const around = { folders: tree.folders, patterns, fold: this.#fold, there: this.#there, isShared, namesHere }
    return returnFilter(new Set([...folders, ...Array.from(paths, parentPath)]), around)
  }

  async #readPodRules(): Promise<void> {
    const { up, view, signal } = this.#place
    await this.#podRules.read(view.entries, { idle: view.idle, signal })
    this.#there = this.#podRules.isEmpty ? undefined : await up.tree.filterWith((path) => this.#podRules.at(path))
  }

  async #compare(paths: readonly string[]): Promise<Map<string, boolean>> {
    const { up, files, signal } = this.#place
    const [here, there] = await Promise.all([localHashes(up.tree.root, paths, signal), files.hash(paths)])
    return new Map(paths.map((path) => [path, here.get(path) !== undefined && here.get(path) === there.get(path)]))
  }
}
