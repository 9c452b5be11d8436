import { readlink } from 'node:fs/promises'
import { posix } from 'node:path'
import { pathOf } from '../byte-text.ts'

/** As many links Linux follows on the way to one file. */
const mostLinks = 40

/**
 * Every path that decides which file an absolute path is: its folders, the links among them with what they lead to, and
 * where it ends, whether or not there is something. Paths are byte texts.
 */
export async function wayTo(path: string): Promise<string[]> {
  const way: string[] = []
  const rest = namesIn(path)
  let at = '/'
  for (let links = 0; rest.length > 0 && links <= mostLinks; ) {
    at = posix.join(at, rest.shift() ?? '')
    way.push(at)
    const target = await readlink(pathOf(at), 'latin1').catch(() => undefined)
    if (target === undefined) continue
    links += 1
    rest.unshift(...namesIn(target))
    at = target.startsWith('/') ? '/' : posix.dirname(at)
  }
  return way
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}
