import { clash, isUnstable, mayWin, reasonOf, replace, type Situation, sendUp } from './conflict.ts'
import { decideFolder } from './decide-folder.ts'
import type { Findings } from './findings.ts'
import { allIn, isNeverSent, isSameThing, isTouchedHere, isTouchedThere, type Node } from './node.ts'
import { isSameContent, isSameStat } from './same.ts'

/**
 * Decides about a path and all below it.
 * @returns whether nothing is here any more once that is done
 */
export function decide(node: Node, situation: Situation, out: Findings): boolean {
  const { base, here, there } = node
  if (base.isApart === true && there !== undefined && !isTouchedThere(node)) {
    stand(node, situation, out)
    return here === undefined
  }
  const [isFolderHere, isFolderThere] = [here?.type === 'folder', there?.type === 'folder']
  if (isFolderHere !== isFolderThere && here !== undefined && there !== undefined) {
    decideKind(node, situation, out)
    return false
  }
  if (isFolderHere || isFolderThere) return decideFolder(node, { situation, out, decide })
  forgetBelow(node, out)
  if (here !== undefined && there !== undefined) return decideBoth(node, situation, out)
  return decideOne(node, situation, out)
}

/** What is apart stays so until the command changes it again, or somebody makes the two the same. */
function stand(node: Node, { contents }: Situation, out: Findings): void {
  const { path, base, here } = node
  const isAsItWas = isSameThing(base.local, here)
  const isSame = isAsItWas ? false : isSameContent(node, contents)
  if (isSame === undefined) out.toHash.push(path)
  else if (isSame) settle(node, out)
  else {
    out.conflicts.push({ path, reason: reasonOf(node), outcome: 'stands' })
    if (!isAsItWas) out.settled.set(path, { ...base, local: here })
  }
}

/** A folder on the one side, and something else on the other. */
function decideKind(node: Node, situation: Situation, out: Findings): void {
  if (!isTouchedThere(node)) sendUp(node, out)
  else if (isTouchedHere(node)) clash(node, reasonOf(node), situation, out)
  else replace(node, situation, out)
}

/** Something on both sides, and no folder. */
function decideBoth(node: Node, situation: Situation, out: Findings): boolean {
  const { path, base, there, goes, hereChanged, thereChanged } = node
  if (!thereChanged) {
    if (hereChanged && goes) out.up.push(path)
  } else if (isUnstable(node, situation)) out.waiting.push(path)
  else if (!hereChanged && !isSameStat(base.remote, there)) replace(node, situation, out)
  else {
    const isSame = isSameContent(node, situation.contents)
    if (isSame === undefined) out.toHash.push(path)
    else if (isSame) settle(node, out)
    else if (hereChanged) clash(node, reasonOf(node), situation, out)
    else replace(node, situation, out)
  }
  return false
}

function settle(node: Node, out: Findings): void {
  const { path, base, here, there } = node
  const isKept = isNeverSent(node) ? true : undefined
  out.settled.set(path, { ...base, local: here, remote: there, isApart: undefined, isNeverSent: isKept })
}

/** Something on one side at most, and no folder. What is changed wins over what is deleted, by every policy. */
function decideOne(node: Node, situation: Situation, out: Findings): boolean {
  const { path, here, there, goes, hereChanged, thereChanged } = node
  const movedTo = situation.movedAway.get(path)
  if (here === undefined && there === undefined) {
    if (hereChanged || thereChanged) out.settled.set(path, undefined)
  } else if (!thereChanged) {
    if (hereChanged && (goes || here === undefined)) out.up.push(path)
  } else if (isUnstable(node, situation)) out.waiting.push(path)
  else if (there !== undefined) {
    if (hereChanged && !mayWin(path, 'deleted here, changed there', situation, out)) return true
    replace(node, situation, out)
    return false
  } else if (!hereChanged && here !== undefined && movedTo !== undefined) {
    out.conflicts.push({ path, reason: 'moved there to where nothing comes from', outcome: 'left', movedTo })
  } else if (!hereChanged && here !== undefined) {
    out.removals.push({ does: 'remove', entry: here })
    return true
  } else if (isNeverSent(node)) out.settled.set(path, undefined)
  else if (mayWin(path, 'changed here, deleted there', situation, out) && goes) out.up.push(path)
  return here === undefined
}

/** What was in a folder that is none on either side. */
function forgetBelow(node: Node, out: Findings): void {
  for (const { path, base } of allIn(node)) {
    if (path !== node.path && (base.local ?? base.remote) !== undefined) out.settled.set(path, undefined)
  }
}
