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
  const tokens: Token[] = []
  for (let at = 0; at < glob.length; at++) {
    const character = glob.charAt(at)
    if (character === '*') {
      const stars = compileStars(glob, at)
      tokens.push(stars)
      at = stars.last
    } else if (character === '?') {
      tokens.push({ kind: 'one', source: '[^/]' })
    } else if (character === '[') {
      const set = compileSet(glob, at, fold)
      if ('fault' in set) return set
      tokens.push({ kind: 'one', source: set.source })
      at = set.last
    } else if (character === '\\') {
      if (++at === glob.length) return { fault: 'ends in a "\\" that nothing follows' }
      tokens.push({ kind: 'one', source: literal(glob.charAt(at)) })
    } else {
      const plain = fold && /[A-Z]/.test(character) ? character.toLowerCase() : character
      tokens.push({ kind: 'one', source: literal(plain) })
    }
  }
  return { source: withoutBacktracking(tokens) }
}

interface Token {
  /** One byte, any in one part of the path, or any parts. */
  kind: 'one' | 'star' | 'parts'
  source: string
}

interface Stars extends Token {
  /** The index of its last character. */
  last: number
}

function compileStars(glob: string, first: number): Stars {
  let last = first
  while (glob[last + 1] === '*') last++
  const before = glob[first - 1]
  const isPart = last > first && (before === undefined || before === '/') && /^(?:$|\/|\\\/)/.test(glob.slice(last + 1))
  if (!isPart) return { kind: 'star', source: '[^/]*?', last }
  // Of "**/" the slash goes too where it stands for no part at all.
  if (glob[last + 1] === '/') return { kind: 'parts', source: '(?:[^]*?/)??', last: last + 1 }
  return { kind: 'parts', source: '[^]*?', last }
}

/**
 * The first place that fits is as good as any after it, for a star up to the next in the same part, and for a `**` up to
 * the next `**`. So each is tried once: a group that looks ahead is never entered again. Otherwise a line with some stars
 * more, which may come from a pod, would take longer than anybody lives.
 */
function withoutBacktracking(tokens: readonly Token[]): string {
  let groups = 0
  const units = splitBefore(tokens, 'parts')
  return units
    .map((unit, at) => {
      const isLast = at === units.length - 1
      const group = at === 0 || isLast ? undefined : ++groups
      const pieces = splitBefore(unit, 'star')
      const source = pieces.map((piece, index) => {
        const isFree = index === 0 || (isLast && index === pieces.length - 1)
        return once(sourceOf(piece), isFree ? undefined : ++groups)
      })
      return once(source.join(''), group)
    })
    .join('')
}

/** @param group the number of the group that is not entered again; undefined for none */
function once(source: string, group: number | undefined): string {
  return group === undefined ? source : `(?=(${source}))\\${group}`
}

/** The tokens up to the first of a kind, then from each of it up to the next. */
function splitBefore(tokens: readonly Token[], kind: Token['kind']): Token[][] {
  const pieces: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind === kind) pieces.push([])
    pieces.at(-1)?.push(token)
  }
  return pieces
}

function sourceOf(tokens: readonly Token[]): string {
  return tokens.map(({ source }) => source).join('')
}

/** What is between brackets. A "]" is a member where it is the first. */
function compileSet(glob: string, open: number, fold: boolean): Omit<Stars, 'kind'> | { fault: string } {
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
