import { KuberunError } from '../../errors.ts'
import type { Entry } from '../entry.ts'
import { type Changes, only } from '../local/changes.ts'
import { isWithin } from '../path.ts'
import { pack } from '../tar/archive.ts'
import { emptyReport } from '../tar/archive-report.ts'
import { applying, removing, staging, wholeTree } from './batch.ts'
import type { Remote } from './remote.ts'
import { noting, overwritten } from './sparing.ts'

/** What went, and what did not. */
export interface Sent {
  /** By path, as it was when it was read. */
  entries: Map<string, Entry>
  /** Changed while they were read: to be sent again. */
  changed: string[]
  /** Could not be read: `path: EACCES`. */
  unreadable: string[]
  /** Left as they are there, as they have changed there. */
  withheld: ReadonlySet<string>
}

export interface SendOptions {
  root: string
  signal: AbortSignal
  /** Called while it goes on, with what has gone so far. */
  onProgress?: (files: number, bytes: number) => void
}

/** Of these paths, which are there as they were. */
export type Unchanged = (paths: readonly string[]) => Promise<ReadonlySet<string>>

/** Sends a whole tree to a remote root that is empty. */
export async function sendTree(remote: Remote, entries: readonly Entry[], options: SendOptions): Promise<Sent> {
  const { commands, archives } = wholeTree(entries)
  const [all = [], folders = []] = archives
  const { report, archive } = packing(all, options)
  const again = packing(folders, options)
  await remote.request({ commands, archives: [archive, again.archive] })
  // Of a file whose reading broke off the rest is zeros there.
  const broken = report.unreadable.filter(({ isBroken }) => isBroken).map(({ path }) => path)
  if (broken.length > 0) await remote.request({ commands: removing(broken), archives: [] })
  return sentOf(report)
}

/**
 * Sends changes. What changes while it is read stays as it was there, but where it has done so before: a file that is
 * written all the time would never arrive.
 *
 * @param tree the local tree as it is now
 * @param options.restless paths of files that changed under the last sending
 * @param options.force remove what is in the way there
 * @param options.unchanged asked when the contents are there, and right before any of them gets its place: which of the
 *   paths may be changed there. All, where it is not given
 */
export async function sendChanges(
  remote: Remote,
  { changes, tree }: { changes: Changes; tree: ReadonlyMap<string, Entry> },
  options: SendOptions & { restless: ReadonlySet<string>; force: boolean; unchanged?: Unchanged | undefined },
): Promise<Sent> {
  const contents = changes.put.filter(({ type }) => type !== 'folder')
  const folders = changes.put.filter(({ type }) => type === 'folder')
  const sent: Sent = { entries: new Map(), changed: [], unreadable: [], withheld: new Set() }
  for (const folder of folders) sent.entries.set(folder.path, folder)
  const requests: Promise<unknown>[] = []
  if (contents.length > 0) {
    const { commands, archives } = staging(contents)
    const { report, archive } = packing(archives.flat(), options)
    const read = Promise.withResolvers<void>()
    requests.push(remote.request({ commands, archives: [endTold(archive, read.resolve)] }))
    // The next request goes behind it without waiting for its answer; without it, it is not done either.
    await Promise.race([read.promise, ...requests])
    const found = sentOf(report)
    for (const path of found.changed) if (!options.restless.has(path)) found.entries.delete(path)
    for (const [path, entry] of found.entries) sent.entries.set(path, entry)
    sent.changed = found.changed
    sent.unreadable = found.unreadable
  }
  const spares = options.unchanged !== undefined
  if (options.unchanged !== undefined) {
    const mayGo = overwritten({ ...changes, put: [...sent.entries.values()] })
    requests.push(remote.request({ commands: noting(mayGo), archives: [] }))
    await Promise.all(requests)
    const paths = [...changes.removed.map(({ path }) => path), ...changes.replaced, ...sent.entries.keys()]
    const unchanged = await options.unchanged(paths)
    const changed = new Set(paths.filter((path) => !unchanged.has(path)))
    sent.withheld = new Set(paths.filter((path) => isWithin(path, changed)))
    for (const path of sent.withheld) sent.entries.delete(path)
  }
  const meant = only({ ...changes, put: [...sent.entries.values()] }, (path) => !sent.withheld.has(path))
  const { commands, archives } = applying(meant, tree, { force: options.force, spares })
  if (commands.length > 0) {
    const applied = remote.request({ commands, archives: archives.map((entries) => packing(entries, options).archive) })
    requests.push(applied)
    // What the command changed in the last moment is back in its place.
    const paths = overwritten(meant)
    const spared = (await applied).flatMap((number) => paths[number] ?? [])
    sent.withheld = new Set([...sent.withheld, ...spared])
    for (const path of spared) sent.entries.delete(path)
  }
  await Promise.all(requests)
  return sent
}

function packing(entries: readonly Entry[], { root, signal, onProgress }: SendOptions) {
  const report = emptyReport()
  const archive = pack({ root, entries, report, signal })
  return {
    report,
    archive: onProgress === undefined ? archive : told(archive, () => onProgress(report.sent.size, report.bytes)),
  }
}

async function* told(archive: AsyncIterable<Buffer>, tell: () => void): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of archive) {
    tell()
    yield piece
  }
}

async function* endTold(archive: AsyncIterable<Buffer>, tell: () => void): AsyncGenerator<Buffer, void, undefined> {
  yield* archive
  tell()
}

function sentOf(report: ReturnType<typeof emptyReport>): Sent {
  return {
    entries: new Map(report.sent),
    changed: report.changed,
    unreadable: report.unreadable.map(({ path, code }) => `${path}: ${code}`),
    withheld: new Set(),
  }
}

/** What is said of files that could not be read. */
export function unreadableError(unreadable: readonly string[]): KuberunError {
  return new KuberunError('local', `cannot read ${unreadable.slice(0, 3).join('; ')}`, {
    hint: 'exclude them by .warpignore or --exclude, or run without --strict',
  })
}
