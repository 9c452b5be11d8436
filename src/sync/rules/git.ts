import { execFile } from 'node:child_process'
import { KuberunError } from '../../errors.ts'

export interface GitOptions {
  /** An absolute path: where git runs. */
  folder: string
  /** Whether the environment says which repository is meant, where it does (as in a hook); otherwise the folder does. */
  inherits: boolean
}

export type AskGit = typeof askGit

/** What names a repository to git, other than the folder. */
const repositoryVariables = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
])

const timeout = 30_000

/**
 * The stdout of git, a character for each byte; undefined where there is no git, or it fails.
 *
 * @throws KuberunError when it does not end: to go on without its answer would leave files out, or send too many.
 */
export function askGit(args: readonly string[], { folder, inherits }: GitOptions): Promise<string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => inherits || !repositoryVariables.has(name))
  // Without the lock, a git command of the user's at the same time does not fail.
  const env = { ...Object.fromEntries(own), GIT_OPTIONAL_LOCKS: '0' }
  const options = { cwd: folder, env, encoding: 'latin1', timeout, maxBuffer: 2 ** 30 } as const
  return new Promise((resolve, reject) => {
    execFile('git', args, options, (error, stdout) => {
      if (error?.killed === true) reject(unanswered(args, folder, error))
      else resolve(error === null ? stdout : undefined)
    })
  })
}

function unanswered(args: readonly string[], folder: string, cause: Error): KuberunError {
  const message = `"git ${args[0]}" in "${folder}" did not end within ${timeout / 1000} s`
  return new KuberunError('local', message, { cause, hint: '--no-ignore does without git, and sends what it ignores' })
}
