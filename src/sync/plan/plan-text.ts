import { formatBytes, formatCount } from '../byte-size.ts'
import { visible } from '../visible.ts'
import type { Sized } from './largest.ts'
import type { PlanEntry, PlanTotals, UploadPlan } from './plan.ts'
import { largestOf } from './plan-object.ts'

/** A plan as a table for a user, with what it comes to below. */
export function planText(plan: UploadPlan): string {
  const { files, folders } = largestOf(plan)
  const parts = [
    table(plan.entries),
    sums(plan),
    ranking('largest files', files),
    ranking(
      'largest folders',
      folders.map(({ path, size }) => ({ path: `${path}/`, size })),
    ),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
}

/** One long path must not push the reasons of all others off the screen. */
const widestPath = 60

function table(entries: readonly PlanEntry[]): string[] {
  if (entries.length === 0) return []
  const rows = entries.map((entry) => [entry.answer, sizeOf(entry), pathOf(entry), visible(entry.reason)] as const)
  const all = [['STATUS', 'SIZE', 'PATH', 'WHY'] as const, ...rows]
  const sizes = widest(all.map(([, size]) => size))
  const paths = Math.min(widest(all.map(([, , path]) => path)), widestPath)
  return all.map(
    ([status, size, path, why]) => `${status.padEnd(9)}${size.padStart(sizes)}  ${pad(path, paths)}  ${why}`,
  )
}

function sizeOf({ type, size }: PlanEntry): string {
  if (size !== undefined) return formatBytes(size)
  return type === 'link' ? 'link' : '-'
}

function pathOf({ path, type }: PlanEntry): string {
  return visible(type === 'folder' ? `${path}/` : path)
}

// Not by Math.max(...): that is one argument a row.
function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, length(text)), 0)
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - length(text)))
}

function length(text: string): number {
  let characters = 0
  for (const _ of text) characters += 1
  return characters
}

function sums({ entries, totals }: UploadPlan): string[] {
  const out = entries.filter(({ answer }) => answer === 'out').length
  const skipped = entries.filter(({ answer }) => answer === 'skipped').length
  const rest = [
    ...(out > 0 ? [`${counted(out, 'path')} ${out === 1 ? 'stays' : 'stay'} out`] : []),
    ...(skipped > 0 ? [`${formatCount(skipped)} cannot be sent`] : []),
  ]
  return [goingUp(totals), ...(rest.length > 0 ? [rest.join(', ')] : [])]
}

function goingUp({ files, folders, links, bytes }: PlanTotals): string {
  const kinds = [
    [files, 'file'],
    [folders, 'folder'],
    [links, 'link'],
  ] as const
  const some = kinds.filter(([count]) => count > 0).map(([count, what]) => counted(count, what))
  return some.length === 0 ? 'nothing would go up' : `${some.join(', ')}: ${formatBytes(bytes)} would go up`
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`
}

function ranking(title: string, items: readonly Sized[]): string[] {
  if (items.length === 0) return []
  const rows = items.map(({ path, size }) => [formatBytes(size), visible(path)] as const)
  const sizes = widest(rows.map(([size]) => size))
  return [`${title}:`, ...rows.map(([size, path]) => `  ${size.padStart(sizes)}  ${path}`)]
}
