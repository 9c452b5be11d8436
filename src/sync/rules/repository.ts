import { homedir } from 'node:os'
import { posix } from 'node:path'
import { byteText, pathOf } from '../byte-text.ts'
import { type AskGit, askGit } from './git.ts'
import { findGitFolder } from './git-folder.ts'
import { noneTracked, parseTracked, type Tracked } from './tracked.ts'

/** What git knows of a folder, besides the `.gitignore` files. Paths are byte texts. */
export interface Repository {
  /** `core.ignoreCase`. */
  fold: boolean
  /** The way from the top of the work tree to the folder: empty, or with a slash at its end. */
  way: string
  /** `core.excludesFile`, and then `.git/info/exclude`, which is stronger. */
  rulesFiles: readonly string[]
  /** Those of the tracked files in the folder that a rule matches. */
  tracked: Tracked
}

/**
 * Asks git about a folder. Without a git program, or where it refuses, the files of the repository are looked at:
 * `core.excludesFile` then is where it is by default, and no file is known to be tracked.
 *
 * @param folder an absolute path: a byte text
 */
export async function openRepository(
  folder: string,
  { inherits, askGit: askThere = askGit }: { inherits: boolean; askGit?: AskGit | undefined },
): Promise<Repository> {
  const options = { folder: pathOf(folder).toString(), inherits }
  // git cannot be started in a folder whose name is not UTF-8.
  const ask = byteText(options.folder) === folder ? askThere : async () => undefined
  const [place, excludes, fold, tracked] = await Promise.all([
    ask(['rev-parse', '--show-cdup', '--git-path', 'info/exclude'], options),
    ask(['config', '--path', '--get', 'core.excludesFile'], options),
    ask(ignoreCase, options),
    ask(['ls-files', '-z', '--stage', '-c', '-i', '--exclude-standard'], options),
  ])
  const { top, exclude } = placeOf(folder, place) ?? (await placeWithoutGit(folder))
  // An empty value stands for no file at all.
  const file = excludes === undefined ? defaultExcludes() : excludes.replace(/\n$/, '')
  return {
    fold: isTrue(fold),
    way: top === folder ? '' : `${posix.relative(top, folder)}/`,
    rulesFiles: [...(file === '' ? [] : [posix.resolve(top, file)]), ...(exclude === undefined ? [] : [exclude])],
    tracked: tracked === undefined ? noneTracked : parseTracked(tracked, isTrue(fold)),
  }
}

/** `core.ignoreCase` alone. */
export async function foldsCase(folder: string, ask: AskGit = askGit): Promise<boolean> {
  return isTrue(await ask(ignoreCase, { folder: pathOf(folder).toString(), inherits: true }))
}

const ignoreCase = ['config', '--bool', '--get', 'core.ignoreCase']

function isTrue(answer: string | undefined): boolean {
  return answer === 'true\n'
}

interface Place {
  top: string
  exclude?: string
}

/** Reads rev-parse: the steps up to the top, which are a path where the folder is outside of the work tree. */
function placeOf(folder: string, answer: string | undefined): Place | undefined {
  const [, steps, exclude] = /^((?:\.\.\/)*)\n(.+)\n$/s.exec(answer ?? '') ?? []
  if (steps === undefined || exclude === undefined) return undefined
  return { top: posix.resolve(folder, steps), exclude: posix.resolve(folder, exclude) }
}

async function placeWithoutGit(folder: string): Promise<Place> {
  const found = await findGitFolder(folder)
  return found === undefined ? { top: folder } : { top: found.top, exclude: posix.join(found.common, 'info/exclude') }
}

function defaultExcludes(): string {
  const base = process.env['XDG_CONFIG_HOME'] || posix.join(process.env['HOME'] ?? homedir(), '.config')
  return byteText(posix.join(base, 'git/ignore'))
}
