import { byteText, foldCase, shown } from '../byte-text.ts'
import { compileGlob } from './wildmatch.ts'

/** One line of an ignore file. */
export interface Rule {
  /** Where it is, and what it says: `.gitignore:3: *.log`. */
  readonly reason: string
  /** The line, from 1. */
  readonly line: number
  /** The line as it counts, without the spaces at its end: a byte text. */
  readonly text: string
  /** The pattern itself, without what the next three say, and without a slash at either end. */
  readonly glob: string
  /** Takes back what rules before it said. */
  readonly negated: boolean
  readonly folderOnly: boolean
  /** Matches a path from the file's folder on; otherwise the last name of a path, at any depth. */
  readonly anchored: boolean
  /**
   * Whether the pattern matches, but for `folderOnly`. Both are byte texts (see `byteText`), and folded where the rule is.
   *
   * @param path from the folder of the rules file, without a slash at either end
   * @param name the last name in `path`
   */
  matches(path: string, name: string): boolean
}

export interface RuleOptions {
  /** What to call the file in reasons. */
  source: string
  /** `core.ignoreCase`: the texts to match have no capitals of ASCII, see `foldCase`. */
  fold: boolean
}

/**
 * The rules of an ignore file, in their order. Follows gitignore(5), and git's program where that leaves it open. What
 * can never match, such as a class without its end, is a rule all the same.
 *
 * @param text the bytes of the file, one character each
 */
export function parseRules(text: string, options: RuleOptions): Rule[] {
  const lines = text.replace(/^\xef\xbb\xbf/, '').split('\n')
  return lines.flatMap((line, index) => {
    // The last line may have no end; git then takes a carriage return in it as the end's as well.
    const rule = parseRule(line.replace(/\r$/, ''), { ...options, line: index + 1 })
    return rule === undefined ? [] : [rule]
  })
}

/** The rule that a pattern of the command line stands for; undefined for none. */
export function optionRule(pattern: string, options: RuleOptions): Rule | undefined {
  const rule = parseRule(byteText(pattern), { ...options, line: 0 })
  return rule === undefined ? undefined : { ...rule, reason: `${options.source} ${pattern}` }
}

function parseRule(whole: string, { source, fold, line }: RuleOptions & { line: number }): Rule | undefined {
  const shape = shapeOf(whole)
  const { text, glob, anchored } = shape
  if (text === '' || text.startsWith('#')) return undefined
  return { ...shape, line, reason: `${source}:${line}: ${shown(text)}`, matches: matcher(glob, anchored, fold) }
}

/** What a line is without the marks around its glob, and what these say. */
export function shapeOf(line: string): Pick<Rule, 'text' | 'glob' | 'negated' | 'folderOnly' | 'anchored'> {
  // git reads lines as C's strings, which end at a NUL.
  const text = trimEnd(line.replace(/\0[^]*$/, ''))
  const negated = text.startsWith('!')
  const folderOnly = text.endsWith('/')
  const bare = text.slice(negated ? 1 : 0, folderOnly ? -1 : undefined)
  return { text, glob: bare.replace(/^\//, ''), negated, folderOnly, anchored: bare.includes('/') }
}

/** A space at the end counts only after a backslash; a line that ends in a lone backslash is left as it is. */
function trimEnd(line: string): string {
  let end = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === ' ') continue
    if (line[at] === '\\' && ++at === line.length) return line
    end = at + 1
  }
  return line.slice(0, end)
}

/** Linux's PATH_MAX: what is longer could make a regular expression that none can use. */
const longestGlob = 4096
const special = /[*?[\\]/

/** Most patterns are a name or an extension: these need no regular expression. */
function matcher(glob: string, anchored: boolean, fold: boolean): Rule['matches'] {
  const plain = fold ? foldCase(glob) : glob
  if (glob === '' || glob.length > longestGlob) return () => false
  if (!special.test(glob)) return anchored ? (path) => path === plain : (_, name) => name === plain
  if (!anchored && glob.startsWith('*') && !special.test(glob.slice(1))) {
    const ending = plain.slice(1)
    return (_, name) => name.endsWith(ending)
  }
  const compiled = compileGlob(glob, fold)
  if ('fault' in compiled) return () => false
  const whole = new RegExp(`^${compiled.source}$`)
  return anchored ? (path) => whole.test(path) : (_, name) => whole.test(name)
}
