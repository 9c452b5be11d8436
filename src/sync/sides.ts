import type { Agreed, Baseline, Here } from './baseline.ts'
import { isSame } from './changes.ts'
import type { Entry } from './entry.ts'
import { parentPath } from './path.ts'

/** The two sides, and what they were. */
export interface Sides {
  baseline: Baseline
  /** What goes up. */
  local: ReadonlyMap<string, Entry>
  /** What is here and does not go, at least where {@link placesToLookAt} has it. */
  unsent: ReadonlyMap<string, Here>
  /** All that is there. */
  remote: ReadonlyMap<string, Entry>
  /** Whether what the command does with a path comes back: the filters let it, or `--return` names it. Pure. */
  comesBack: (path: string, isFolder: boolean) => boolean
}

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

/** @returns all nodes by path; '' is the root */
export function nodesOf(sides: Sides): Map<string, Node> {
  const inside = new Map<string, Set<string>>([['', new Set()]])
  for (const paths of [sides.baseline, sides.local, sides.unsent, sides.remote]) {
    for (const path of paths.keys()) place(path, inside)
  }
  const nodes = new Map<string, Node>()
  build('')
  return nodes

  function build(path: string): Node {
    const names = [...(inside.get(path) ?? [])].toSorted()
    const node = nodeOf(sides, path, names.map(build))
    nodes.set(path, node)
    return node
  }
}

/** A path, and the folders that it is in. */
function place(path: string, inside: Map<string, Set<string>>): void {
  for (let at = path; at !== ''; at = parentPath(at)) {
    const parent = parentPath(at)
    const siblings = inside.get(parent)
    if (siblings?.has(at) === true) return
    if (siblings === undefined) inside.set(parent, new Set([at]))
    else siblings.add(at)
  }
}

function nodeOf(sides: Sides, path: string, children: Node[]): Node {
  const base = sides.baseline.get(path) ?? {}
  const local = sides.local.get(path)
  const here = local ?? sides.unsent.get(path) ?? folderOf(path, children)
  const scanned = sides.remote.get(path)
  const seen = path === '' ? undefined : seenThere(sides, base.remote, scanned)
  const isOnTheWay =
    seen === undefined && scanned?.type === 'folder' && children.some(({ there }) => there !== undefined)
  const there = isOnTheWay ? scanned : seen
  const comes = isOnTheWay || (scanned !== undefined && sides.comesBack(path, scanned.type === 'folder'))
  return {
    path,
    base,
    here,
    goes: local !== undefined,
    there,
    comes,
    isOnTheWay,
    // Of two that are apart neither is what the other was made from.
    hereChanged: base.isApart === true || base.isNeverSent === true || !isSameThing(base.local, here),
    thereChanged: !isOnTheWay && !isSameThing(base.remote, there),
    children,
  }
}

/** A folder that nobody has listed, where something is in it. */
function folderOf(path: string, children: readonly Node[]): Here | undefined {
  if (path === '' || children.every(({ here }) => here === undefined)) return undefined
  return { type: 'folder', path, mode: 0o755, mtime: 0n }
}

function seenThere({ comesBack }: Sides, was: Entry | undefined, is: Entry | undefined): Entry | undefined {
  if (is !== undefined && comesBack(is.path, is.type === 'folder')) return is
  const isInItsPlace = is === undefined || (is.type === 'folder') !== (was?.type === 'folder')
  const isRemoved = isInItsPlace && was !== undefined && comesBack(was.path, was.type === 'folder')
  return isRemoved ? undefined : was
}

/** Whether nothing has happened to it, as far as its own side's listings tell. */
export function isSameThing(one: Here | undefined, other: Here | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.type === 'other' || other.type === 'other') return one.type === other.type
  return isSame(one, other)
}

/** A node and all below it, folders before what is in them. */
export function* allIn(node: Node): Generator<Node> {
  yield node
  for (const child of node.children) yield* allIn(child)
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
  return holds(node) || node.children.some((child) => some(child, holds))
}
