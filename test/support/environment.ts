import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/**
 * Where the tests find programs: this Node first, then what the developer has. Without folders that cannot be searched:
 * a program that is nowhere would be one that is not allowed.
 */
export const searchPath = [dirname(process.execPath), ...foldersOf(process.env['PATH'] ?? '')].join(delimiter)

/** The whole environment of a program under test: nothing of the developer's but the programs, caches of its own. */
export function cleanEnvironment(home: string, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: searchPath, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), ...extra }
}

function foldersOf(path: string): string[] {
  return path.split(delimiter).filter((folder) => {
    try {
      accessSync(folder, constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}
