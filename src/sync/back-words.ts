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
  'deleted there, but something in it was never sent':
    'was deleted in the pod, but has something in it that was never sent',
}

/** What is said of a conflict: the path, what was done, and where the other version is. */
export function conflictText({ path, reason, outcome, beside }: Conflict): string {
  const what = `conflict: "${visible(path)}" ${reasons[reason]}`
  const remedy = reason.startsWith('never sent')
    ? `; to have it go both ways, put "!/${visible(path)}" in .warpignore`
    : ''
  if (outcome === 'saved') return `${what}: it stays, and the pod’s version is "${visible(beside ?? '')}"${remedy}`
  if (outcome === 'left') return `${what}: it stays, and the pod’s version is not here`
  return outcome === 'local' ? `${what}: what is here counts` : `${what}: the pod’s version counts`
}

export function haltedText({ deleted, of }: Halted): string {
  return `the command deleted ${deleted} of ${of} files: nothing was deleted here; --allow-mass-delete lets it`
}

/** What is said of what did not come back. */
export function leftText(left: readonly Step[], refused: ReadonlyMap<string, string>): string[] {
  return notBrought(left.map(({ entry: { path } }) => [path, refused.get(path) ?? 'it changes all the time']))
}

/** What is said of what can come nowhere, such as sockets, by path and with the reason. */
export function othersText(others: readonly (readonly [path: string, why: string])[]): string[] {
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
  const texts = paths.map(([path, why]) => `not brought back: "${visible(path)}" (${visible(why)})`)
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
