import type { Entry } from '../entry.ts'
import { isSame } from '../local/changes.ts'
import type { Agreed, Here } from './baseline.ts'

/** A path on both sides. */
export interface Node {
  path: string
  base: Agreed
  here: Here | undefined
  /** Whether what is here goes up. */
  goes: boolean
  /** What does not come back is seen as it was in the baseline. */
  there: Entry | undefined
  /** Whether what is there may come back, for its own sake or for that of what is in it. */
  comes: boolean
  /** Something that comes back is in this folder, which itself does not. */
  isOnTheWay: boolean
  hereChanged: boolean
  thereChanged: boolean
  /** By name. */
  children: Node[]
}

/** Whether nothing has happened to it, as far as its own side's listings tell. */
export function isSameThing(one: Here | undefined, other: Here | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.type === 'other' || other.type === 'other') return one.type === other.type
  return isSame(one, other)
}

/** A node and all below it, folders before what is in them. */
export function* allIn(node: Node): Generator<Node> {
  const waiting = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next
    for (let at = next.children.length - 1; at >= 0; at--) {
      const child = next.children[at]
      if (child !== undefined) waiting.push(child)
    }
  }
}

/** What the user has here and the pod never had: it does not go, nor did anything of its kind. */
export function isNeverSent({ base, here, goes }: Node): boolean {
  if (here === undefined || goes) return false
  return base.local?.type !== here.type || base.isApart === true || base.isNeverSent === true
}

/** Whether something here would be lost with this node: more than the mode of a folder. */
export function isTouchedHere(node: Node): boolean {
  return some(node, (one) => {
    const { base, here, hereChanged } = one
    if (here === undefined || !hereChanged) return false
    return isNeverSent(one) || here.type !== 'folder' || base.local?.type !== 'folder' || base.isApart === true
  })
}

/** Whether the command made or changed something in it. */
export function isTouchedThere(node: Node): boolean {
  return some(node, ({ base, there, thereChanged }) => {
    return there !== undefined && thereChanged && !(there.type === 'folder' && base.remote?.type === 'folder')
  })
}

/** Whether it holds of a node, or of one below it. */
export function some(node: Node, holds: (node: Node) => boolean): boolean {
  for (const one of allIn(node)) if (holds(one)) return true
  return false
}
