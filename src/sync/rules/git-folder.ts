import { readFile, stat } from 'node:fs/promises'
import { posix } from 'node:path'
import { pathOf } from '../byte-text.ts'

/** A repository as the files in it tell, without git. Paths are byte texts. */
export interface GitFolder {
  /** The top of the work tree. */
  top: string
  /** `.git`, or that of the main work tree. */
  common: string
}

/** The repository whose work tree a folder is in, at its top or below; follows gitrepository-layout(5). */
export async function findGitFolder(folder: string): Promise<GitFolder | undefined> {
  const found = await gitFolderAt(folder)
  if (found !== undefined || folder === '/') return found
  return findGitFolder(posix.dirname(folder))
}

/** The repository whose work tree has its top here. */
export async function gitFolderAt(top: string): Promise<GitFolder | undefined> {
  const entry = posix.join(top, '.git')
  // Of a linked work tree or a submodule ".git" is a file, which tells where the rest is.
  const link = /^gitdir: (.+?)[\r\n]*$/s.exec(await content(entry))?.[1]
  const own = link === undefined ? entry : posix.resolve(top, link)
  const shared = (await content(posix.join(own, 'commondir'))).replace(/[\r\n]+$/, '')
  const common = posix.resolve(own, shared)
  const parts = [posix.join(own, 'HEAD'), posix.join(common, 'objects'), posix.join(common, 'refs')]
  return (await Promise.all(parts.map(exists))).every(Boolean) ? { top, common } : undefined
}

function content(path: string): Promise<string> {
  return readFile(pathOf(path), 'latin1').catch(() => '')
}

async function exists(path: string): Promise<boolean> {
  return stat(pathOf(path)).then(
    () => true,
    () => false,
  )
}
