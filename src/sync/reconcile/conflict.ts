import { besideName } from '../extract/beside.ts'
import type { Agreed, Here } from './baseline.ts'
import type { Conflict, ConflictReason, Findings } from './findings.ts'
import { allIn, isNeverSent, isSameThing, type Node, some } from './node.ts'

/** What is known besides the two sides. */
export interface Situation {
  nodes: ReadonlyMap<string, Node>
  policy: Policy
  /** Paths that were not the same, or not there, in two listings of the remote root. */
  unstable: ReadonlySet<string>
  /** Of files on both sides that were hashed, whether they have the same content. */
  contents: ReadonlyMap<string, boolean>
  /** Names that were given to what is saved beside. */
  taken: Set<string>
  /** By path, where files are now that were moved out of what comes back. */
  movedAway: ReadonlyMap<string, string>
}

export interface Policy {
  onConflict: 'keep-both' | 'local' | 'remote' | 'fail'
  /** Makes the names of what is saved beside: `name.remote-<run id>`. */
  runId: string
  allowMassDelete: boolean
}

/** Both have their own version. By no policy is what was never sent written over. */
export function clash(node: Node, reason: ConflictReason, situation: Situation, out: Findings): void {
  if (isUnstable(node, situation)) {
    out.waiting.push(node.path)
    return
  }
  const { onConflict } = situation.policy
  if (onConflict === 'fail') out.conflicts.push({ path: node.path, reason, outcome: 'left' })
  else if (onConflict === 'local') {
    out.conflicts.push({ path: node.path, reason, outcome: 'local' })
    sendUp(node, out)
  } else if (onConflict === 'remote' && !some(node, isNeverSent)) {
    out.conflicts.push({ path: node.path, reason, outcome: 'remote' })
    replace(node, situation, out)
  } else out.conflicts.push(saveBeside(node, reason, situation, out))
}

/**
 * What is changed wins over what is deleted.
 * @returns whether it does: not where every conflict is to fail
 */
export function mayWin(path: string, reason: ConflictReason, { policy }: Situation, out: Findings): boolean {
  const winner = reason === 'deleted here, changed there' ? 'remote' : 'local'
  const isLeft = policy.onConflict === 'fail'
  out.conflicts.push({ path, reason, outcome: isLeft ? 'left' : winner })
  return !isLeft
}

/** Whether something in it is still being written there. */
export function isUnstable(node: Node, { unstable }: Situation): boolean {
  return unstable.size > 0 && some(node, ({ path, thereChanged }) => thereChanged && unstable.has(path))
}

/** What is here goes up, with what is below it, and what is not here goes there. */
export function sendUp(node: Node, out: Findings): void {
  if (!node.goes) return
  for (const { path, here, goes, there } of allIn(node)) {
    if (goes || (here === undefined && there !== undefined)) out.up.push(path)
  }
}

/** What is here makes way for what is there. */
export function replace(node: Node, situation: Situation, out: Findings): void {
  if (isUnstable(node, situation)) {
    out.waiting.push(node.path)
    return
  }
  const [isFolderHere, isFolderThere] = [node.here?.type === 'folder', node.there?.type === 'folder']
  if (isFolderHere !== isFolderThere) clear(node, out)
  for (const { path, there, here, comes } of allIn(node)) {
    if (there === undefined || !comes) continue
    out.puts.push({ does: 'put', entry: there, to: path, over: isFolderHere === isFolderThere ? here : undefined })
  }
}

/** Removes what is in the way, before what comes there. */
function clear(node: Node, out: Findings): void {
  for (const { here } of [...allIn(node)].toReversed()) {
    if (here !== undefined) out.puts.push({ does: 'remove', entry: here })
  }
}

function saveBeside(node: Node, reason: ConflictReason, situation: Situation, out: Findings): Conflict {
  const { path } = node
  const isFolder = node.there?.type === 'folder'
  const beside = besideName(path, situation.policy.runId, (name) => isFree(name, situation))
  situation.taken.add(beside)
  const old = situation.nodes.get(beside)
  let over: Here | undefined
  if (old?.here !== undefined) {
    if (isFolder || old.here.type === 'folder') clear(old, out)
    else over = old.here
  }
  const agreed = new Map<string, Agreed>()
  for (const { path: inIt, here, there, comes } of allIn(node)) {
    agreed.set(inIt, { local: here, remote: there, isApart: true })
    if (there === undefined || !comes) continue
    out.puts.push({ does: 'put', entry: there, to: beside + inIt.slice(path.length), over })
  }
  return { path, reason, outcome: 'saved', beside, agreed }
}

/** What was saved earlier in this run, and is as it was, may be saved anew. */
function isFree(name: string, { nodes, taken }: Situation): boolean {
  const node = nodes.get(name)
  if (taken.has(name)) return false
  if (node === undefined) return true
  return !some(node, ({ base, here, there }) => {
    return there !== undefined || (here !== undefined && (base.remote !== undefined || !isSameThing(base.local, here)))
  })
}

/** Why there is a conflict where something here is not what was there. */
export function reasonOf(node: Node): ConflictReason {
  const isOfOthers = some(node, (one) => one.here !== undefined && one.goes && one.hereChanged)
  if (isOfOthers || !some(node, isNeverSent)) return 'changed here and there'
  return isNeverSent(node)
    ? 'never sent, but in the place of something there'
    : 'in the place of something there, with something in it that was never sent'
}
