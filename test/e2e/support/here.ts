import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What runs that were killed may leave, for the next one to sweep. */
const staged = /^\.kuberun-sync-/

/** The paths of all that is in a folder here, in order, without what runs that were killed have left. */
export function pathsIn(root: string): string[] {
  const all = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return all.filter((path) => !path.split('/').some((name) => staged.test(name))).toSorted()
}

/**
 * Which files, links and folders are in a folder here: who was written anew has another inode or mtime. A folder's own
 * mtime is left out, as it changes with what comes into it.
 */
export function identities(root: string): Map<string, string> {
  return new Map(pathsIn(root).map((path) => [path, identity(join(root, path))]))
}

function identity(path: string): string {
  const stat = lstatSync(path, { bigint: true })
  const [kind, time] = stat.isDirectory() ? ['folder', ''] : ['file', ` ${stat.mtimeNs}`]
  return `${kind} ${stat.ino} ${stat.mode.toString(8)}${time}`
}

/** The files that are beside one of that path, as conflicts are, and what is in each. */
export function besides(root: string, path: string): { path: string; content: string }[] {
  const found = pathsIn(root).filter((one) => one.startsWith(`${path}.remote-`))
  return found.map((one) => ({ path: one, content: readFileSync(join(root, one), 'utf8') }))
}

/** A file's content that shows, whatever is read of it, of which version it is and whether it is whole. */
export function versionOf(n: number, length = 200_000): string {
  return `${String.fromCharCode('a'.charCodeAt(0) + (n % 26)).repeat(length)}\n`
}

/** Whether a content is one of {@link versionOf}, whole. */
export function isWhole(content: string, length = 200_000): boolean {
  return content.length === length + 1 && content === `${(content[0] ?? '').repeat(length)}\n`
}

/** The line of sh that prints {@link versionOf} in a pod. */
export function printVersion(letter: string, length = 200_000): string {
  return `head -c ${length} /dev/zero | tr '\\0' ${letter}; echo`
}
