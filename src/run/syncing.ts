import { setTimeout as sleep } from 'node:timers/promises'
import { KuberunError, withHint } from '../errors.ts'
import { mayComeYet } from '../exec/start.ts'
import { isForeground } from '../exec/terminal.ts'
import type { KubeClient } from '../kube/client.ts'
import type { RunOptions, SyncOptions } from '../options.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import type { Back, Returned } from '../sync/back.ts'
import { type Exchange, Live } from '../sync/live.ts'
import { checkLocalRoot } from '../sync/local/local-root.ts'
import { OnSync } from '../sync/on-sync.ts'
import { overLimit, overLimitError, overLimitText } from '../sync/plan/size-guard.ts'
import { MissingPrograms, Remote } from '../sync/remote/remote.ts'
import { Up } from '../sync/up.ts'
import { visible } from '../sync/visible.ts'
import { ask } from './ask.ts'
import type { RunIO } from './io.ts'
import type { OutputPump } from './pump.ts'
import { type StartOptions, startWhenReady } from './start.ts'
import type { TerminalReporter } from './terminal-reporter.ts'

/** Of so many files and patterns it is said one by one that something is wrong with them. */
const mostWarnings = 10

/** How often it is tried to bring back what the command changed, and the first pause between, in milliseconds. */
const [mostTries, retryPause] = [3, 500]

interface Around {
  client: KubeClient
  io: RunIO
  reporter: TerminalReporter
  signal: AbortSignal
}

/** What came back of a run. */
export interface Return {
  /** Something did not come back that should have, or is for the user to decide. */
  isIncomplete: boolean
  /** `3 files came back, 1 conflict`. */
  text: string
  /** How long that took, in milliseconds. */
  took: number
}

interface Parts extends Around {
  sync: SyncOptions
  up: Up
}

/** The sync of a run: begun before its pod is there, complete before its command starts, and kept up while that runs. */
export class Syncing implements AsyncDisposable {
  readonly #parts: Parts
  readonly #listed: Promise<void>
  readonly #over = new AbortController()
  #pod: EphemeralPod | undefined
  #remote: Remote | undefined
  #live: Live | undefined
  #onSync: OnSync | undefined
  #back: Back | undefined

  private constructor(root: string, around: Around & Pick<Parts, 'sync'>) {
    // A run that fails ends the sync as well as one that is interrupted.
    const signal = AbortSignal.any([around.signal, this.#over.signal])
    const up = new Up({ root, sync: around.sync, reporter: around.reporter, signal })
    this.#parts = { ...around, up, signal }
    this.#listed = this.#list()
    // Told where it is waited for.
    this.#listed.catch(() => {})
  }

  /**
   * Begins to list the local root.
   * @throws {UsageError} it can be no local root
   */
  static async begin(options: RunOptions & { sync: SyncOptions }, around: Around): Promise<Syncing> {
    const { sync } = options
    return new Syncing(await checkLocalRoot(sync.dir), { ...around, sync })
  }

  /** Opens the sync exec as soon as the container takes it. */
  async connect(pod: EphemeralPod, options: StartOptions): Promise<void> {
    const { client } = this.#parts
    this.#pod = pod
    this.#remote = await startWhenReady(client, pod, options, async (signal) => {
      try {
        return await this.#open(pod, signal)
      } catch (error) {
        if (error instanceof MissingPrograms) await bringPrograms(pod, error, options.tools)
        else if (!mayComeYet(error)) throw error
        return undefined
      }
    })
  }

  /** Brings the tree there: with it, or with an error, it resolves. */
  async initial(): Promise<void> {
    const { up, sync, signal, reporter } = this.#parts
    if (this.#remote === undefined) throw new Error('not connected')
    await this.#listed
    this.#warn()
    await this.#guardSize()
    const exchange = await this.#openBack()
    this.#live = new Live(up, this.#remote, {
      reporter,
      signal,
      reopen: () => this.#reopen(),
      onApplied: ({ paths }) => this.#onSync?.applied(paths),
      ...(exchange !== undefined && { exchange }),
    })
    await this.#live.initial()
    const { files, bytes } = totals(up)
    reporter.phase(`${files} files, ${(bytes / 1e6).toFixed(1)} MB sent`)
    if (sync.once) await this.#live[Symbol.asyncDispose]()
    await this.#back?.begin()
  }

  /** Keeps the pod's folder like the local one from now on. */
  keepUp(stderr: OutputPump): void {
    const { sync, client, reporter, signal } = this.#parts
    const pod = this.#pod
    if (sync.once || pod === undefined) return
    if (sync.onSync !== undefined) {
      this.#onSync = new OnSync({
        client,
        target: pod.target,
        shell: pod.shell,
        remoteDir: sync.remoteDir,
        command: sync.onSync,
        // stdout is the command's alone.
        write: ({ data }) => stderr.write(data),
        onFailure: (why) => reporter.warning(why),
        signal,
      })
    }
    this.#live?.begin()
  }

  /** Whether anything comes back. */
  get returns(): boolean {
    return this.#back !== undefined
  }

  /**
   * Brings back what the command, which has ended, changed. A failure is told, and is no error.
   * @param isGone whether nothing can come any more, as there is no pod
   */
  async bringBack(isGone: boolean): Promise<Return> {
    const { reporter } = this.#parts
    const begin = performance.now()
    const returned = (isIncomplete: boolean): Return => {
      return { isIncomplete, text: returnText(this.#back?.counts), took: Math.round(performance.now() - begin) }
    }
    try {
      if (isGone) throw new KuberunError('pod', 'its pod is gone')
      await this.#live?.stop()
      const end = await this.#finish()
      return returned(end?.isIncomplete === true)
    } catch (error) {
      const why = this.#parts.signal.aborted ? 'given up' : (error as Error).message
      reporter.warning(withHint(`what the command changed is not all here: ${why}`, error))
      return returned(true)
    }
  }

  /** A connection that breaks is no reason to lose what the command made. */
  async #finish(): Promise<Returned | undefined> {
    const { signal } = this.#parts
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#back?.finish()
      } catch (error) {
        const mayPass = error instanceof KuberunError && error.code === 'connection'
        if (!mayPass || tries === mostTries || signal.aborted) throw error
        await sleep(tries * retryPause, undefined, { signal })
      }
    }
  }

  /** Ends it; once, however often it is called. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    this.#back?.close()
    await this.#live?.[Symbol.asyncDispose]()
    this.#remote?.close()
  }

  #open({ target, shell }: EphemeralPod, signal: AbortSignal): Promise<Remote> {
    const { client, sync } = this.#parts
    const also = sync.back === undefined ? [] : ['find']
    return Remote.open(client, { target, shell, remoteDir: sync.remoteDir, also, signal })
  }

  async #reopen(): Promise<Remote> {
    if (this.#pod === undefined) throw new Error('not connected')
    this.#remote = await this.#open(this.#pod, this.#parts.signal)
    return this.#remote
  }

  async #list(): Promise<void> {
    const { up, sync, signal } = this.#parts
    await up.tree.retake()
    if (sync.back === undefined) return
    const { sweep } = await import('../sync/extract/sweep.ts')
    // What comes back by --return may be anywhere.
    const where = sync.back.patterns.length > 0 ? {} : { folders: up.tree.folders.keys() }
    await sweep({ root: up.tree.root, ...where, signal })
  }

  async #openBack(): Promise<Exchange | undefined> {
    const { up, sync, client, reporter, signal } = this.#parts
    if (sync.back === undefined || this.#pod === undefined) return undefined
    const { Back: Returning } = await import('../sync/back.ts')
    const back = new Returning(sync.back, { client, pod: this.#pod, up, reporter, signal })
    this.#back = back
    return back.exchange(sync.back.interval)
  }

  #warn(): void {
    const { up, sync, reporter } = this.#parts
    const { skipped, entries } = up.tree
    const unreadable = skipped.filter(({ why }) => /^E[A-Z]+$/.test(why))
    if (sync.strict && unreadable.length > 0) {
      const names = unreadable.slice(0, 3).map(({ path, why }) => `"${visible(path)}": ${why}`)
      throw new KuberunError('local', `cannot read ${names.join('; ')}`, {
        hint: 'exclude them by .warpignore or --exclude, or run without --strict',
      })
    }
    for (const { path, why } of skipped.slice(0, mostWarnings))
      reporter.warning(`not sent: "${visible(path)}" (${why})`)
    if (skipped.length > mostWarnings) reporter.warning(`not sent: ${skipped.length - mostWarnings} more; see --plan`)
    // What the command makes may be meant.
    if (sync.back !== undefined) return
    if (sync.include.length > 0 && ![...entries.values()].some(({ type }) => type !== 'folder')) {
      const patterns = sync.include.map((pattern) => `"${pattern}"`).join(', ')
      reporter.warning(`--include ${patterns} matches nothing that goes in "${sync.dir}"; --plan says why`)
    }
  }

  async #guardSize(): Promise<void> {
    const { up, sync, io, signal, reporter } = this.#parts
    const over = overLimit(up.tree.entries.values(), sync.maxUpload)
    if (over === undefined) return
    // One in the background is stopped when it reads.
    if (!io.stdin.isTTY || !io.stderr.isTTY || !isForeground()) throw overLimitError(over)
    using _hush = reporter.hush()
    const answer = await ask(`${overLimitText(over)}\nGo on? [y/N] `, io, signal)
    if (!/^y(es)?$/i.test(answer.trim())) throw overLimitError(over)
  }
}

/** An image without tar has a shell all the same, so only the sync finds out. */
async function bringPrograms(pod: EphemeralPod, missing: MissingPrograms, allowed: boolean): Promise<void> {
  if (allowed && pod.shell.setup === '') return pod.remake('tools')
  throw new KuberunError('pod', `the image has no ${missing.message}, which a sync needs`, {
    hint: 'allow --tools=auto, which brings them',
  })
}

function returnText(counts: { files: number; conflicts: number } | undefined): string {
  const { files, conflicts } = counts ?? { files: 0, conflicts: 0 }
  const came = files === 1 ? '1 file came back' : `${files} files came back`
  const disputed = conflicts === 1 ? '1 conflict' : `${conflicts} conflicts`
  return `${came}${conflicts > 0 ? `, ${disputed}` : ''}`
}

function totals({ tree }: Up): { files: number; bytes: number } {
  let [files, bytes] = [0, 0]
  for (const entry of tree.entries.values()) {
    if (entry.type !== 'file') continue
    files += 1
    bytes += entry.size
  }
  return { files, bytes }
}
