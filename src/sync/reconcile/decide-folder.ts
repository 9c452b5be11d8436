import { clash, mayWin, type Situation } from './conflict.ts'
import { addFindings, type Findings, noFindings } from './findings.ts'
import { isNeverSent, type Node } from './node.ts'

interface Around {
  situation: Situation
  out: Findings
  /** Decides about what is in the folder. */
  decide: (node: Node, situation: Situation, out: Findings) => boolean
}

/** A folder, or one on one side and nothing on the other. */
export function decideFolder(node: Node, { situation, out, decide }: Around): boolean {
  const inside = noFindings()
  let isEmptied = true
  // A loop, as each level is on the stack, and a pod may have thousands of them.
  for (const child of node.children) isEmptied = decide(child, situation, inside) && isEmptied
  if (node.here !== undefined && node.there !== undefined) onBoth(node, inside, situation, out)
  else if (node.there !== undefined) return onlyThere(node, inside, situation, out)
  else return onlyHere(node, { inside, isEmptied, situation, out })
  return false
}

function onBoth(node: Node, inside: Findings, situation: Situation, out: Findings): void {
  if (!isNeverSent(node)) decideMode(node, out)
  // The folder as a whole: half of an old node_modules and half of a new one is neither.
  else if (inside.conflicts.some(({ reason }) => reason === neverSent)) return clash(node, neverSent, situation, out)
  else if (inside.toHash.length > 0) return addFindings(out, { ...noFindings(), toHash: inside.toHash })
  addFindings(out, inside)
}

const neverSent = 'never sent, but in the place of something there'

/** Two modes are no conflict: the local one counts. */
function decideMode({ path, base, here, there, goes, hereChanged, thereChanged }: Node, out: Findings): void {
  if (here?.type !== 'folder' || there?.type !== 'folder' || (!hereChanged && !thereChanged)) return
  if (here.mode === there.mode) out.settled.set(path, { ...base, local: here, remote: there, isApart: undefined })
  else if (!hereChanged) out.puts.push({ does: 'put', entry: there, to: path, over: here })
  else if (goes) out.up.push(path)
}

function onlyThere(node: Node, inside: Findings, situation: Situation, out: Findings): boolean {
  const { path, base, there, hereChanged, thereChanged } = node
  const isNew = thereChanged && base.remote?.type !== 'folder'
  const isWanted = inside.puts.length > 0 || (isNew && !hereChanged)
  const comes = isWanted || (isNew && mayWin(path, 'deleted here, changed there', situation, out))
  if (comes && there !== undefined) out.puts.push({ does: 'put', entry: there, to: path, over: undefined })
  else if (hereChanged && !isNew && isDecided(inside)) out.up.push(path)
  addFindings(out, inside)
  return !comes
}

interface OnlyHere {
  inside: Findings
  isEmptied: boolean
  situation: Situation
  out: Findings
}

function onlyHere(node: Node, { inside, isEmptied, situation, out }: OnlyHere): boolean {
  const { path, base, here, goes, hereChanged, thereChanged } = node
  const wasOnBoth = base.remote?.type === 'folder' && base.local?.type === 'folder' && base.isApart !== true
  const isDeleted = wasOnBoth && !isNeverSent(node)
  if (isNeverSent(node) && thereChanged) out.settled.set(path, undefined)
  if (isDeleted && isEmptied && here !== undefined) {
    addFindings(out, inside)
    out.removals.push({ does: 'remove', entry: here })
    return true
  }
  const isUp = goes && (isDeleted ? inside.up.length > 0 : hereChanged)
  const isSaid = inside.conflicts.some(({ reason }) => reason !== notEmpty)
  if (isUp) {
    const reason = 'changed here, deleted there'
    if (thereChanged && !isDeleted && !mayWin(path, reason, situation, out)) return false
    if (isDeleted && !isSaid) out.conflicts.push({ path, reason, outcome: 'local' })
    out.up.push(path)
  } else if (isDeleted && isDecided({ ...inside, conflicts: [] }) && !isSaid) {
    out.conflicts.push({ path, reason: notEmpty, outcome: 'local' })
    // One for them all.
    inside.conflicts = inside.conflicts.filter(({ reason }) => reason !== notEmpty)
  }
  if (isDeleted) joinMoved(path, inside)
  addFindings(out, inside)
  return false
}

/** Of a folder that was moved away there is one conflict, not one of each file. */
function joinMoved(path: string, inside: Findings): void {
  const moved = inside.conflicts.filter(({ reason }) => reason === movedAway)
  const [first] = moved
  if (first === undefined) return
  const others = inside.conflicts.filter(({ reason }) => reason !== movedAway)
  inside.conflicts = [...others, { ...first, path: moved.length > 1 ? path : first.path }]
}

const movedAway = 'moved there to where nothing comes from'

const notEmpty = 'deleted there, but something in it was never sent'

/** Whether nothing in it is to wait, or somebody's to say. */
function isDecided({ conflicts, toHash, waiting }: Findings): boolean {
  return conflicts.length === 0 && toHash.length === 0 && waiting.length === 0
}
