import { byteText } from '../byte-text.ts'
import { shapeOf } from './rules.ts'
import { compileGlob } from './wildmatch.ts'

/** Why a pattern of `--exclude` or `--include` can match nothing, in words that follow the flag; undefined if it can. */
export function patternFault(pattern: string): string | undefined {
  if (/^ *$/.test(pattern)) return 'must not be empty'
  if (pattern.includes('\n')) return 'must be one line'
  if (pattern.startsWith('#')) return 'is a comment in an ignore file: write "\\#" for a name that begins with "#"'
  const { glob, negated } = shapeOf(byteText(pattern))
  if (glob === '') return negated ? 'must have something after "!"' : 'must name something in the folder'
  const compiled = compileGlob(glob, false)
  if ('fault' in compiled) return compiled.fault
  return partFault(glob)
}

/** Patterns are matched with the names from the root on, in which none of these occurs. */
function partFault(glob: string): string | undefined {
  // A slash in brackets does not part names.
  const parts = glob.includes('[') ? [] : glob.split('/')
  if (parts.includes('')) return 'must not have two slashes together'
  if (parts.some((part) => part === '.' || part === '..'))
    return 'must not have "." or ".." between slashes: write "/a" for "./a"'
  return undefined
}
