import { longestPath } from './path.ts'
import type { Conflict, ConflictReason, Step } from './reconcile/findings.ts'
import type { Halted } from './reconcile/mass-deletion.ts'
import { visible } from './visible.ts'

/** Of so many files it is said one by one that they did not come back. */
const mostWarnings = 10

const reasons: Readonly<Record<ConflictReason, string>> = {
  'changed here and there': 'changed here and in the pod',
  'never sent, but in the place of something there': 'was never sent, and is in the place of something in the pod',
  'deleted here, changed there': 'was deleted here and changed in the pod',
  'changed here, deleted there': 'changed here and was deleted in the pod',
  'in the place of something there, with something in it that was never sent':
    'is in the place of something in the pod, and has something in it that was never sent',
  'moved there to where nothing comes from': 'was moved in the pod to where nothing comes back from',
  'deleted there, but something in it was never sent':
    'was deleted in the pod, but has something in it that was never sent',
}

/** What is said of a conflict: the path, what was done, and where the other version is. */
export function conflictText({ path, reason, outcome, beside, movedTo }: Conflict): string {
  const what = `conflict: "${visible(path)}" ${reasons[reason]}`
  if (movedTo !== undefined) return `${what}, "${visible(movedTo)}": it stays; --return names what is to come back`
  const remedy = reason.startsWith('never sent')
    ? `; to have it go both ways, put "!/${visible(path)}" in .warpignore`
    : ''
  if (outcome === 'saved') return `${what}: it stays, and the pod’s version is "${visible(beside ?? '')}"${remedy}`
  if (outcome === 'left' && reason === 'deleted here, changed there') return `${what}: the pod’s version is not here`
  if (outcome === 'left') return `${what}: it stays, and the pod’s version is not here`
  return outcome === 'local' ? `${what}: what is here counts` : `${what}: the pod’s version counts`
}

export function haltedTexts({ deleted, of, held }: Halted): string[] {
  const kept = held.filter(({ does, entry }) => does === 'remove' && entry.type !== 'folder').length
  const text = `the command deleted ${deleted} of ${of} files: ${kept} of them stay here; --allow-mass-delete lets them go`
  const puts = held.flatMap((step) => (step.does === 'put' && step.entry.type !== 'folder' ? [step.to] : []))
  return [text, ...notBrought(puts.map((path) => [path, 'what was deleted in its place is still here']))]
}

/** What is said of what did not come back. */
export function leftText(left: readonly Step[], refused: ReadonlyMap<string, string>): string[] {
  return notBrought(left.map(({ entry: { path } }) => [path, refused.get(path) ?? 'it changes all the time']))
}

/** What is said of what can come nowhere, such as sockets, by path and with the reason. */
export function othersTexts(others: readonly (readonly [path: string, why: string])[]): string[] {
  return notBrought(others)
}

/** What is said of folders in the pod that may not be read there. */
export function closedTexts(folders: readonly string[]): string[] {
  const texts = folders.map((path) => {
    const name = path === '' ? '' : ` "${visible(path)}"`
    return `what is in the folder${name} does not come back: the pod may not read it`
  })
  return atMost(texts, (more) => `what is in ${more} more folders does not come back: the pod may not read them`)
}

function notBrought(paths: readonly (readonly [path: string, why: string])[]): string[] {
  const texts = paths.map(([path, why]) => {
    // One that is too long for here is too long for a line, too.
    const name = path.length <= longestPath ? path : `${path.slice(0, 100)}…`
    return `not brought back: "${visible(name)}" (${visible(why)})`
  })
  return atMost(texts, (more) => `not brought back: ${more} more`)
}

function atMost(texts: string[], rest: (more: number) => string): string[] {
  if (texts.length <= mostWarnings) return texts
  return [...texts.slice(0, mostWarnings), rest(texts.length - mostWarnings)]
}

/** What is said of what came back in part. */
export function remarkTexts(remarks: ReadonlyMap<string, string>): string[] {
  const texts = [...remarks].map(([path, remark]) => `"${visible(path)}": ${visible(remark)}`)
  return texts.slice(0, mostWarnings)
}
