import { stagingPrefix } from '../rules/filter.ts'
import { visible } from '../visible.ts'

/**
 * Why a path that somebody else made up is none in a tree, or none that we write to: in words, or undefined.
 * @param platform as `process.platform` has it; the names that Windows cannot hold are refused there
 */
export function pathFault(path: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (path === '') return 'it is the root itself'
  if (path.startsWith('/')) return 'its path is absolute'
  if (path.includes('\0')) return 'its path has a NUL in it'
  const names = path.split('/')
  if (names.length > mostNames) return `its path has more than ${mostNames} parts`
  for (const name of names) {
    const fault = nameFault(name) ?? (platform === 'win32' ? windowsFault(name) : undefined)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Each folder on the way to something is open for a while. */
const mostNames = 256

function nameFault(name: string): string | undefined {
  if (name === '') return 'its path has an empty part'
  if (name === '.' || name === '..') return `its path has the part "${name}"`
  if (name.startsWith(stagingPrefix)) return `our own files are called "${stagingPrefix}…" while they are written`
  return isGit(name) ? `"${visible(name)}" is git's` : undefined
}

/**
 * What some file system takes for `.git`, though we may not be on that one: the tree may go there. A file of that name
 * leads to hooks as a folder does. See git's `is_hfs_dotgit` and `is_ntfs_dotgit`.
 */
function isGit(name: string): boolean {
  // Most names are not worth the rest.
  if (!/g.*i.*t/is.test(name)) return false
  const plain = name
    .normalize('NFC')
    .replaceAll(ignorable, '')
    .toLowerCase()
    // Windows leaves out what follows a colon, and spaces and dots at the end.
    .replace(/[ .]*(:.*)?$/s, '')
  return plain === '.git' || plain === 'git~1'
}

/** What HFS+ leaves out of a name as it compares. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

function windowsFault(name: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- Windows has none of these in a name
  if (/[\u0000-\u001f<>:"|?*\\]/.test(name) || /[ .]$/.test(name) || !name.isWellFormed() || devices.test(name)) {
    return `Windows cannot have a file called "${visible(name)}"`
  }
  return undefined
}

const devices = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)[ ]*(\.|$)/i
