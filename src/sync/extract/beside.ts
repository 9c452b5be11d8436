import { childPath, encodePath, parentPath } from '../path.ts'

/** How many bytes a name may have, nearly everywhere. */
const longest = 255

/**
 * The path for a remote version that is saved beside the local one: `name.remote-<run id>`, with a number at its end where
 * that is taken; of a name that would become too long the end is left out.
 */
export function besideName(path: string, runId: string, isFree: (path: string) => boolean): string {
  for (let count = 1; ; count++) {
    const suffix = `.remote-${runId}${count === 1 ? '' : `-${count}`}`
    const folder = parentPath(path)
    const characters = Array.from(path.slice(folder === '' ? 0 : folder.length + 1))
    while (encodePath(characters.join('')).length + suffix.length > longest) characters.pop()
    const candidate = childPath(folder, characters.join('') + suffix)
    if (isFree(candidate)) return candidate
  }
}
