import type { Entry } from '../entry.ts'
import { parentPath } from '../path.ts'
import type { Baseline, Here } from './baseline.ts'
import { isSameThing, type Node } from './node.ts'
import type { ComesBack } from './return-filter.ts'

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
  comesBack: ComesBack
}

/** @returns all nodes by path; '' is the root */
export function nodesOf(sides: Sides): Map<string, Node> {
  const inside = new Map<string, Set<string>>([['', new Set()]])
  for (const paths of [sides.baseline, sides.local, sides.unsent, sides.remote]) {
    for (const path of paths.keys()) place(path, inside)
  }
  const nodes = new Map<string, Node>()
  // What is in a folder before the folder, without a call for each level: a pod may have thousands of them.
  const waiting = [{ path: '', names: sorted(inside.get('')), children: new Array<Node>() }]
  for (let at = waiting.at(-1); at !== undefined; at = waiting.at(-1)) {
    const next = at.names[at.children.length]
    if (next !== undefined && inside.has(next)) {
      waiting.push({ path: next, names: sorted(inside.get(next)), children: [] })
      continue
    }
    if (next === undefined) waiting.pop()
    const node = next === undefined ? nodeOf(sides, at.path, at.children) : nodeOf(sides, next, [])
    nodes.set(node.path, node)
    const folder = next === undefined ? waiting.at(-1) : at
    folder?.children.push(node)
  }
  return nodes
}

function sorted(paths: ReadonlySet<string> = new Set()): string[] {
  return [...paths].toSorted()
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
