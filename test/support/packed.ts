import type { Entry } from '../../src/sync/entry.ts'
import { takeSnapshot } from '../../src/sync/local/snapshot.ts'
import { pack } from '../../src/sync/tar/archive.ts'
import { type ArchiveReport, emptyReport } from '../../src/sync/tar/archive-report.ts'
import { everything } from './trees.ts'

export interface Packed {
  archive: Buffer
  report: ArchiveReport
  blocks: Buffer[]
}

export interface PackedOptions {
  /** Without them, all of the root. */
  entries?: Iterable<Entry>
  prefix?: string
  slowAfter?: number
  /** Called with each Buffer, before the next is asked for. */
  onBlock?: (block: Buffer, index: number) => void
}

/** Packs as a whole. */
export async function packed(root: string, options: PackedOptions = {}): Promise<Packed> {
  const { onBlock, entries = await entriesOf(root), ...rest } = options
  const report = emptyReport()
  const blocks: Buffer[] = []
  for await (const block of pack({ root, entries, report, ...rest })) {
    // It is valid until the next is asked for.
    blocks.push(Buffer.from(block))
    onBlock?.(block, blocks.length - 1)
  }
  return { archive: Buffer.concat(blocks), report, blocks }
}

export async function entriesOf(root: string): Promise<Entry[]> {
  const { entries } = await takeSnapshot(root, everything)
  return [...entries.values()]
}
