/** What a glob compiles to: the source of a regular expression, or in words why it can match nothing. */
export type Compiled = { readonly source: string } | { readonly fault: string }

/**
 * Compiles a glob of git's (its wildmatch, with WM_PATHNAME) to a regular expression over a whole {@link byteText}:
 * `*`, `?` and classes take one byte each and never a slash, `**` as a whole part of the path takes any number of parts.
 *
 * @param fold for a text whose capitals were made small, see `foldCase`; git then compares literals outside of classes
 * without regard to case, but not those after a backslash or in a class.
 */
export function compileGlob(glob: string, fold: boolean): Compiled {
  let source = ''
  for (let at = 0; at < glob.length; at++) {
    const character = glob.charAt(at)
    if (character === '*') {
      const stars = compileStars(glob, at)
      source += stars.source
      at = stars.last
    } else if (character === '?') {
      source += '[^/]'
    } else if (character === '[') {
      const set = compileSet(glob, at, fold)
      if ('fault' in set) return set
      source += set.source
      at = set.last
    } else if (character === '\\') {
      if (++at === glob.length) return { fault: 'ends in a "\\" that nothing follows' }
      source += literal(glob.charAt(at))
    } else {
      source += literal(fold && /[A-Z]/.test(character) ? character.toLowerCase() : character)
    }
  }
  return { source }
}

interface Piece {
  source: string
  /** The index of its last character. */
  last: number
}

function compileStars(glob: string, first: number): Piece {
  let last = first
  while (glob[last + 1] === '*') last++
  const before = glob[first - 1]
  const isPart = last > first && (before === undefined || before === '/') && /^(?:$|\/|\\\/)/.test(glob.slice(last + 1))
  if (!isPart) return { source: '[^/]*', last }
  // Of "**/" the slash goes too where it stands for no part at all.
  return glob[last + 1] === '/' ? { source: '(?:[^]*/)?', last: last + 1 } : { source: '[^]*', last }
}

/** What is between brackets. A "]" is a member where it is the first. */
function compileSet(glob: string, open: number, fold: boolean): Piece | { fault: string } {
  const never = { fault: 'has a "[" that is never closed: write "\\[" for the character' }
  const negated = glob[open + 1] === '!' || glob[open + 1] === '^'
  let members = ''
  /** The member that a "-" after it makes a range of. */
  let from = ''
  let at = negated ? open + 2 : open + 1
  do {
    let character = glob.charAt(at)
    const name = character === '[' ? /^\[:([^\]]*):\]/.exec(glob.slice(at))?.[1] : undefined
    if (character === '') return never
    if (character === '[' && glob[at + 1] === ':' && !glob.includes(']', at + 2)) return never
    if (name !== undefined) {
      const named = Object.hasOwn(classes, name) ? classes[name] : undefined
      if (named === undefined) return { fault: `has "[:${name}:]", which is no class` }
      members += fold && name === 'upper' ? named + classes['lower'] : named
      at += name.length + 3
      from = ''
    } else if (character === '-' && from !== '' && at + 1 < glob.length && glob[at + 1] !== ']') {
      character = glob.charAt(++at)
      if (character === '\\') character = glob.charAt(++at)
      if (character === '') return never
      members += span(from, character, fold)
      from = ''
    } else {
      if (character === '\\') character = glob.charAt(++at)
      if (character === '') return never
      members += literal(character)
      from = character
    }
  } while (glob[++at] !== ']')
  return { source: negated ? `[^/${members}]` : `(?!/)[${members}]`, last: at }
}

/** As git has them: of ASCII only, and "space" without the vertical tab and the form feed. */
const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t\\n\\r',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
}

function span(from: string, to: string, fold: boolean): string {
  // git takes a range that runs backwards for an empty one; RegExp refuses it.
  if (from > to) return ''
  const range = `${literal(from)}-${literal(to)}`
  if (!fold) return range
  const [first, last] = [from > 'A' ? from : 'A', to < 'Z' ? to : 'Z']
  return first > last ? range : `${range}${first.toLowerCase()}-${last.toLowerCase()}`
}

function literal(character: string): string {
  return /[0-9A-Za-z]/.test(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
