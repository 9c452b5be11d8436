import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'

/** Where programs are on most machines, and where a container without a PATH looks. */
export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The absolute path of a program of this machine. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of `${process.env['PATH'] ?? ''}:${standardPath}`.split(':')) {
    if (!folder.startsWith('/')) continue
    const path = join(folder, name)
    if (await access(path, constants.X_OK).then(...thenTrue)) return path
  }
  return undefined
}

/**
 * Programs by their absolute paths, as they are run where PATH is the container's.
 *
 * @throws {Error} one of them is not there
 */
export async function findTools<Name extends string>(names: readonly Name[]): Promise<Record<Name, string>> {
  const found = await Promise.all(names.map(async (name) => [name, await findTool(name)] as const))
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name)
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')} (util-linux and coreutils have them)`)
  return Object.fromEntries(found) as Record<Name, string>
}

const thenTrue = [() => true, () => false] as const
