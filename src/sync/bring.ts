import { rmdirSync, unlinkSync } from 'node:fs'
import type { Here } from './baseline.ts'
import { extractEntries } from './extract.ts'
import { emptyExtractReport } from './extract-report.ts'
import { Fetch, isFilePut } from './fetch.ts'
import type { Put, Step } from './findings.ts'
import { lookAt, lookIn } from './here.ts'
import { isSameThing } from './node.ts'
import type { Done } from './note.ts'
import { OpenTree } from './open-tree.ts'
import { Refusal, reasonOf } from './refusal.ts'
import type { RemoteFiles } from './remote-files.ts'
import type { TarEntry } from './tar-entry.ts'
import { TarCount } from './tar-limits.ts'
import type { ReadEntry } from './tar-reader.ts'

export interface BringOptions {
  root: string
  runId: string
  files: RemoteFiles
  signal: AbortSignal
}

/** What became of steps. */
export interface Brought extends Done {
  /** Why what is neither written nor removed is not, by path. */
  refused: Map<string, string>
  /** What is here, but not all of it: `it is here without its setuid …`. */
  remarks: Map<string, string>
  /** What ended it before its time. */
  error?: unknown
}

/**
 * Does, in order, what is to be done here. Before each it looks whether here still is what the step says; what is not is
 * left alone. A failure ends it, and what was done until then is told all the same.
 */
export async function bring(steps: readonly Step[], options: BringOptions): Promise<Brought> {
  const { root, runId, signal } = options
  const report = emptyExtractReport()
  const brought = { written: new Map<string, Here>(), removed: new Set<string>() }
  const refused = new Map<string, string>()
  const remarks = new Map<string, string>()
  const count = new TarCount()
  using tree = new OpenTree(root, { foldsNames: () => false })
  let current: Put | undefined
  let error: unknown
  try {
    await extractEntries(entries(), {
      root,
      runId,
      signal,
      count,
      report,
      wants: () => (mayPut() ? { as: current?.to ?? '' } : 'skip'),
      stillWants: (_entry, path) => (mayPut() ? { as: path } : 'skip'),
    })
  } catch (cause) {
    error = cause
  }
  for (const { entry } of report.put) brought.written.set(entry.path, entry)
  const put = new Set(report.put.map(({ path }) => path))
  for (const { path, reason } of report.refused) (put.has(path) ? remarks : refused).set(path, reason)
  return { ...brought, refused, remarks, ...(error !== undefined && { error }) }

  async function* entries(): AsyncGenerator<ReadEntry, void, undefined> {
    const fetch = new Fetch(options.files, steps.filter(isFilePut), { count, signal })
    try {
      for (const step of steps) {
        signal.throwIfAborted()
        try {
          if (step.does === 'remove') remove(step.entry)
          else {
            current = step
            yield isFilePut(step) ? await fetch.next(step) : withoutContent(step)
          }
        } catch (cause) {
          const reason = reasonOf(cause)
          if (reason === undefined) throw cause
          refused.set(step.entry.path, reason)
        }
      }
      await fetch.end()
    } finally {
      await fetch.close()
    }
  }

  function mayPut(): boolean {
    if (current === undefined) return false
    const { entry, to, over } = current
    if (isSameThing(over, lookAt(tree, to))) return true
    refused.set(entry.path, 'what is here in its place has changed meanwhile')
    return false
  }

  function remove(entry: Here): void {
    const folder = tree.folderOf(entry.path, { make: false })
    const here = lookIn(folder, entry.path)
    if (here !== undefined && !isSameThing(entry, here)) throw new Refusal('it has changed here meanwhile')
    const at = folder.at(entry.path.slice(entry.path.lastIndexOf('/') + 1))
    if (here?.type === 'folder') rmdirSync(at)
    else if (here !== undefined) unlinkSync(at)
    brought.removed.add(entry.path)
  }
}

function withoutContent({ entry }: Put): ReadEntry {
  const { type, path, mtime } = entry
  const [mode, target] = [entry.type === 'link' ? 0o777 : entry.mode, entry.type === 'link' ? entry.target : '']
  const made: TarEntry = { type, path, mode, mtime, size: 0, target }
  return { entry: made, content: nothing() }
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}
