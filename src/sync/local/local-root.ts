import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { access, readdir, realpath, stat } from 'node:fs/promises'
import { KuberunError, UsageError } from '../../errors.ts'
import { decodeName } from '../path.ts'

/**
 * Finds out whether a folder can be a local root.
 * @param dir as the user gave it: from here on, and through any links
 * @returns its absolute path, without links
 * @throws {UsageError} it is missing, no folder, or cannot be read
 */
export async function checkLocalRoot(dir: string): Promise<string> {
  try {
    const path = await realpath(dir, 'buffer')
    // Node would put U+FFFD in the place of such bytes, and nothing has that name.
    if (!isUtf8(path)) throw new UsageError(`the path of the folder "${dir}" is not UTF-8: "${path.toString()}"`)
    if (!(await stat(path)).isDirectory()) throw new UsageError(`"${dir}" is no folder`, { hint })
    // To list its names, and to look at what has them.
    await access(path, constants.R_OK | constants.X_OK)
    return path.toString()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message, ...details } = explain(dir, error)
    throw new UsageError(message, { ...details, cause: error })
  }
}

/**
 * The names in a local root, in the encoding of paths.
 * @throws {KuberunError} `sync`: somebody has removed it, or it cannot be read any more
 */
export async function namesInRoot(root: string): Promise<string[]> {
  try {
    return (await readdir(root, { encoding: 'buffer' })).map(decodeName)
  } catch (cause) {
    throw new KuberunError('sync', explain(root, cause).message, { cause })
  }
}

const hint = '--dir names the folder that goes up to the pod'

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ELOOP: 'its links lead in a circle',
}

function explain(dir: string, cause: unknown): { message: string; hint?: string } {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  // With ENOTDIR it would have to lie in a file.
  if (code === 'ENOENT' || code === 'ENOTDIR') return { message: `there is no folder "${dir}"`, hint }
  return { message: `cannot read the folder "${dir}": ${reasons[code] ?? code}` }
}
