import { setTimeout as sleep } from 'node:timers/promises'
import { withHint } from '../errors.ts'
import type { Reporter } from '../pod/reporter.ts'
import { Watcher } from './local/watch.ts'
import type { Remote } from './remote/remote.ts'
import type { Applied, Up } from './up.ts'

/** Changes are sent when there were none for so long, or so long after the first of them: milliseconds. */
const [quiet, longestWait] = [50, 500]
/** How often all is listed again, for events that were lost; where nothing can be watched, instead of events. */
const [rescanPause, pollPause] = [30_000, 2_000]
/** A clock that jumps as far shows that this machine has slept. */
const slept = 15_000
/** Between tries to bring there what could not be brought. */
const [shortestPause, longestPause] = [100, 10_000]

/** What Linux's limits are raised by: of what is watched, and of the programs that watch something. */
const settings: Readonly<Record<string, string>> = {
  ENOSPC: 'max_user_watches=524288',
  EMFILE: 'max_user_instances=1024',
}

export interface LiveOptions {
  reporter: Reporter
  signal: AbortSignal
  /** Opens the sync exec again. */
  reopen: () => Promise<Remote>
  /** Called after each batch that was applied. */
  onApplied: (applied: Applied) => void
  /** How often all is listed again, in milliseconds. */
  rescanPause?: number
  /** Where changes come from the other side too. */
  exchange?: Exchange
}

export interface Exchange {
  /** How long to wait for a change here before the other side is looked at, in milliseconds. */
  readonly pause: number
  /** Brings what has changed on either side to the other; does the sending instead of {@link Up.send}. */
  run: (remote: Remote) => Promise<Applied | undefined>
}

/**
 * Keeps the pod's folder like the local one while the command runs: watches, gathers what changes into batches, and
 * sends one after the other. A sync exec that fails is opened again; that never ends the run.
 */
export class Live implements AsyncDisposable {
  readonly #up: Up
  readonly #options: LiveOptions
  readonly #watcher: Watcher
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #remote: Remote
  /** Folders in which something has changed. */
  #changed = new Set<string>()
  #listAll = false
  /** When all was listed last. */
  #listedAt = 0
  #polls = false
  #firstChange = 0
  #timer: NodeJS.Timeout | undefined
  #wake = Promise.withResolvers<void>()
  #done: Promise<void> = Promise.resolve()

  constructor(up: Up, remote: Remote, options: LiveOptions) {
    this.#up = up
    this.#remote = remote
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal])
    this.#watcher = new Watcher(up.tree.root, {
      onChange: (folder) => this.#note(folder),
      onTrouble: (error) => this.#poll(error),
    })
  }

  /** Brings the whole tree there, and watches it from then on. */
  async initial(): Promise<void> {
    await this.#up.initial(this.#remote, () => this.#follow().length > 0)
  }

  /** Sends what changes until it is disposed of. */
  begin(): void {
    this.#listedAt = performance.now()
    this.#done = this.#run()
  }

  /** Ends it when it has done what it is about. */
  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#watcher[Symbol.dispose]()
    this.#wake.resolve()
    await this.#done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#remote.close()
    await this.stop()
  }

  #follow(): string[] {
    return this.#polls ? [] : this.#watcher.follow(this.#up.tree.folders.keys())
  }

  #poll(error: NodeJS.ErrnoException): void {
    if (this.#polls) return
    this.#polls = true
    const setting = settings[error.code ?? '']
    const remedy = setting === undefined ? '' : `; to watch more: sudo sysctl fs.inotify.${setting}`
    this.#options.reporter.warning(
      `the folder cannot be watched (${error.code ?? error.message}): it is looked at every ${pollPause / 1000} s${remedy}`,
    )
  }

  #note(folder: string): void {
    const now = performance.now()
    if (this.#changed.size === 0) this.#firstChange = now
    this.#changed.add(folder)
    clearTimeout(this.#timer)
    const wait = Math.min(quiet, this.#firstChange + longestWait - now)
    this.#timer = setTimeout(() => this.#wake.resolve(), Math.max(wait, 0))
  }

  async #run(): Promise<void> {
    let pause = shortestPause
    while (!this.#signal.aborted) {
      try {
        // Not left to the waits: where something changes all the time, there may be none.
        if (this.#untilDue === 0) this.#listAll = true
        await this.#list()
        if (this.#remote.over.aborted) this.#remote = await this.#options.reopen()
        const applied = await (this.#options.exchange?.run(this.#remote) ?? this.#up.send(this.#remote))
        pause = shortestPause
        if (applied !== undefined) this.#options.onApplied(applied)
        if (this.#up.isBehind) await this.#rest(quiet * 2)
        else await this.#nextChange()
      } catch (error) {
        if (this.#signal.aborted) return
        this.#options.reporter.warning(delay(error as Error, this.#options.exchange === undefined))
        this.#remote.close()
        this.#listAll = true
        await this.#rest(pause)
        pause = Math.min(pause * 2, longestPause)
      }
    }
  }

  async #list(): Promise<void> {
    const { tree } = this.#up
    for (;;) {
      const [changed, all] = [this.#changed, this.#listAll]
      this.#changed = new Set()
      this.#listAll = false
      if (all) {
        await tree.retake()
        this.#listedAt = performance.now()
      } else if (changed.size > 0) await tree.refresh(changed)
      // What happened in a folder before it was watched, nobody has told.
      const added = this.#follow()
      if (added.length === 0) return
      for (const folder of added) this.#changed.add(folder)
    }
  }

  /** In how many milliseconds all is to be listed again. */
  get #untilDue(): number {
    const pause = this.#polls ? pollPause : (this.#options.rescanPause ?? rescanPause)
    return Math.max(this.#listedAt + pause - performance.now(), 0)
  }

  async #nextChange(): Promise<void> {
    if (this.#changed.size === 0) this.#wake = Promise.withResolvers()
    const rest = new AbortController()
    const end = performance.now() + (this.#options.exchange?.pause ?? Number.POSITIVE_INFINITY)
    const woken = this.#wake.promise.finally(() => rest.abort())
    // In short steps, so that a machine that has slept is noticed.
    for (let last = Date.now(); !rest.signal.aborted && !this.#signal.aborted; ) {
      await Promise.race([
        woken,
        sleep(Math.max(Math.min(this.#untilDue, 5_000, end - performance.now()), 1), undefined, {
          signal: rest.signal,
        }).catch(() => {}),
      ])
      const now = Date.now()
      if (rest.signal.aborted) return
      if (this.#untilDue === 0 || now - last > slept) {
        this.#listAll = true
        rest.abort()
      }
      if (performance.now() >= end) rest.abort()
      last = now
    }
  }

  async #rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#signal }).catch(() => {})
  }
}

function delay(error: Error, isOneWay: boolean): string {
  const where = isOneWay ? 'in the pod' : 'on both sides'
  return withHint(`changes are not ${where} yet: ${error.message}; it is tried again`, error)
}
