import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import * as fc from 'fast-check'
import { parentPath } from '../../src/sync/path.ts'

/** Something that happens to a local tree. */
export type Edit =
  | { does: 'write'; path: string; text: string }
  | { does: 'append' | 'mkdir' | 'remove'; path: string }
  | { does: 'link'; path: string; target: string }
  | { does: 'chmod'; path: string; mode: number }
  | { does: 'rename'; path: string; to: string }
  | { does: 'rules'; path: string; name: string; text: string }
  | { does: 'repository'; path: string }

const part = fc.constantFrom('a', 'b', 'x', 'y.o', '-n*')
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const folder = fc.array(part, { maxLength: 2 }).map((parts) => parts.join('/'))
const text = fc.constantFrom('', 'one', 'two', 'three\n'.repeat(1000))
// An edit through a link would be one of something else.
const nowhere = fc.constantFrom('nowhere', 'no/where')
const rules = fc.constantFrom('', 'x\n', 'a/\n', '*.o\n', '/b\n', '!x\n', 'a/x\n', '.gitignore\n', '*\n!.gitignore\n')

/** Edits of a few names, so that they meet. */
export const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('write' as const), path, text }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom('append' as const, 'mkdir', 'remove'), path }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('link' as const), path, target: nowhere }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o700, 0o755) }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('rename' as const), path, to: path }) },
  { weight: 1, arbitrary: ruleEdits() },
)

/** A rules file comes, changes or goes; a repository begins. */
export function ruleEdits(): fc.Arbitrary<Edit> {
  const name = fc.constantFrom('.gitignore', '.warpignore')
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ does: fc.constant('rules' as const), path: folder, name, text: rules }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('repository' as const), path: folder }) },
  )
}

/**
 * Makes an edit, where it can be made.
 * @returns the folders in which something has changed
 */
export function makeEdit(root: string, edit: Edit): string[] {
  const at = (where: string): string => join(root, where)
  const changed = [edit.path]
  // What is in the way goes, as somebody who wants the one would have it.
  const clear = (where: string): void => {
    for (let up = parentPath(where); up !== ''; up = parentPath(up)) {
      changed.push(up, parentPath(up))
      if (isThere(at(up)) && !lstatSync(at(up)).isDirectory()) rmSync(at(up))
    }
    mkdirSync(dirname(at(where)), { recursive: true })
    remove(where)
    changed.push(where, parentPath(where))
  }
  // Each folder that goes is told of, as by a watch of it: a new one in its place may have its very inode.
  const remove = (where: string): void => {
    changed.push(...foldersIn(root, where))
    rmSync(at(where), { recursive: true, force: true })
  }
  const isFile = isThere(at(edit.path)) && lstatSync(at(edit.path)).isFile()
  switch (edit.does) {
    case 'write':
      if (!isFile) clear(edit.path)
      writeFileSync(at(edit.path), edit.text)
      break
    case 'append':
      if (isFile) appendFileSync(at(edit.path), 'more')
      break
    case 'mkdir':
      clear(edit.path)
      mkdirSync(at(edit.path))
      break
    case 'link':
      clear(edit.path)
      symlinkSync(edit.target, at(edit.path))
      break
    case 'remove':
      remove(edit.path)
      break
    case 'chmod':
      if (isThere(at(edit.path)) && !lstatSync(at(edit.path)).isSymbolicLink()) chmodSync(at(edit.path), edit.mode)
      break
    case 'rename':
      if (!isThere(at(edit.path)) || `${edit.to}/`.startsWith(`${edit.path}/`)) break
      if (`${edit.path}/`.startsWith(`${edit.to}/`)) break
      clear(edit.to)
      if (isThere(at(edit.path))) renameSync(at(edit.path), at(edit.to))
      break
    case 'rules':
      if (existsSync(at(edit.path)) && lstatSync(at(edit.path)).isDirectory()) {
        if (edit.text === '') rmSync(join(at(edit.path), edit.name), { force: true })
        else writeFileSync(join(at(edit.path), edit.name), edit.text)
      }
      break
    case 'repository':
      if (existsSync(at(edit.path)) && lstatSync(at(edit.path)).isDirectory()) {
        if (existsSync(join(at(edit.path), '.git'))) rmSync(join(at(edit.path), '.git'), { recursive: true })
        else {
          for (const name of ['objects', 'refs']) mkdirSync(join(at(edit.path), '.git', name), { recursive: true })
          writeFileSync(join(at(edit.path), '.git/HEAD'), 'ref: refs/heads/main\n')
        }
      }
  }
  return [...changed, parentPath(edit.path)]
}

/** The paths of a folder, if it is one, and of all in it. */
function foldersIn(root: string, top: string): string[] {
  if (!isThere(join(root, top)) || !lstatSync(join(root, top)).isDirectory()) return []
  const inside = readdirSync(join(root, top), { recursive: true, withFileTypes: true })
  const folders = inside.filter((item) => item.isDirectory())
  return [top, ...folders.map((item) => relative(root, join(item.parentPath, item.name)))]
}

function isThere(where: string): boolean {
  try {
    lstatSync(where)
    return true
  } catch {
    return false
  }
}
