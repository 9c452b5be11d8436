import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { KuberunError } from '../../errors.ts'
import { pathOf, shown } from '../byte-text.ts'

/**
 * The content of a rules file of git's, a character for each byte; empty where it cannot be read or is no file: git goes
 * on without it as well. Paths are byte texts.
 */
export async function readGitRules(path: string): Promise<string> {
  return read(path).catch(() => '')
}

/** As {@link readGitRules}, for a file in the work tree: there git does not follow a symlink. */
export async function readGitRulesHere(path: string): Promise<string> {
  return read(path, constants.O_NOFOLLOW).catch(() => '')
}

/** The content of a rules file of ours. To go on without one that is there could send what nobody wants to be sent. */
export async function readOwnRules(path: string): Promise<string> {
  return read(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    const message = `cannot read the ignore rules in "${shown(path)}": ${error.code ?? error.message}`
    throw new KuberunError('local', message, { cause: error })
  })
}

async function read(path: string, flags = 0): Promise<string> {
  // A named pipe without a writer would hold us for ever.
  await using file = await open(pathOf(path), constants.O_RDONLY | constants.O_NONBLOCK | flags)
  return (await file.stat()).isFile() ? await file.readFile('latin1') : ''
}
