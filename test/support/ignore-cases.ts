import * as fc from 'fast-check'

/** Rules files and what they are to judge, for properties. All names and texts are byte texts: a character is a byte. */

/** Words with spaces between them; "_" is a space, "é" its two bytes. */
function list(words: string): string[] {
  return words.split(' ').map((word) => word.replaceAll('_', ' ').replaceAll('é', '\xc3\xa9'))
}

const pieces = [...list('a a b c A B . - ! # ] ^ { + $ ( _ é'), '\t', '\r', '\xff']
const oddNames = [...list('* ? [ \\ _a a_ ab a.b #a !a aéb [a] \\a abcabc .git. ..a'), ...pieces]
const globs = list('* * ** **/ /** /**/ *** ? ?? *.b / / // \\ \\_ \\* \\a \\A \\/ \\\\')
const sets = [
  ...list(
    '[ab] [!a] [^a] [a-c] [c-a] [A-Z] [A] []] []-a] [!]a] [a [ [] [!] [\\]] [\\ [a-\\c] [--a] [a-] [/] [a/b] [!-/]',
  ),
  ...list('[[:alpha:]] [[:upper:]] [![:space:]] [[:punct:]] [[:graph:]-a] [[:cntrl:]] [[:xdigit:]_]'),
  ...list('[[:foo:]] [[:constructor:]] [[:alpha:] [[:] [[::]] [[:alpha] [é]'),
  '[\x80-\xff]',
]

const glob = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'a/', 'b/') },
  { weight: 2, arbitrary: fc.constantFrom(...globs) },
  fc.constantFrom(...pieces),
  fc.constantFrom(...sets),
)

/** A line of an ignore file, of anything. */
const anyLine = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', '!/', '\\!', '\\#', '#'),
    fc.array(glob, { maxLength: 5 }),
    fc.constantFrom('', '', '/', ' ', '\r', '\\'),
  )
  .map(([start, middle, end]) => start + middle.join('') + end)

/** A line that matches one of the paths, or nearly. */
function lineNear(paths: readonly string[]): fc.Arbitrary<string> {
  const kind = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 3, 4))
  const change = fc.tuple(kind, glob)
  return fc
    .record({
      path: fc.constantFrom(...paths),
      start: fc.constantFrom('', '', '', '/', '!'),
      isWhole: fc.boolean(),
      changes: fc.array(change, { minLength: 20, maxLength: 20 }),
    })
    .map(({ path, start, isWhole, changes }) => {
      const part = isWhole ? path : path.replace(/^[^]*\/(?=[^])/, '')
      const changed = [...part].map((character, at) => {
        const [how, other] = changes[at] ?? [0, '']
        return [character, other, `\\${character}`, character + other, ''][how]
      })
      return start + changed.join('')
    })
}

function ignoreFile(paths: readonly string[]): fc.Arbitrary<string> {
  const line = paths.length === 0 ? anyLine : fc.oneof(anyLine, { weight: 4, arbitrary: lineNear(paths) })
  return fc.array(line.filter(isStable), { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'))
}

/** Before git 2.52, `ab**` in a path was taken for `ab/**` where no special character was before it. */
function isStable(line: string): boolean {
  return !/^[^*?[\\]*[^*?[\\/]\*\*/.test(line.replace(/^!/, ''))
}

const name = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', 'ab') }, fc.constantFrom(...oddNames)), {
    minLength: 1,
    maxLength: 2,
  })
  .map((parts) => parts.join(''))
  .filter((text) => !/^\.{1,2}$|^\.git/i.test(text))

/** Paths, those of folders with a slash at their end; none is both. */
const pathList = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((all) => {
    const folders = new Set(all.flatMap(([names]) => foldersOf(names.join('/'))))
    const paths = all.map(([names, isFolder]) => {
      const path = names.join('/')
      return isFolder || folders.has(`${path}/`) ? `${path}/` : path
    })
    return [...new Set(paths)].filter((path) => !paths.includes(`${path}/`))
  })

/** The folders that a path is in, outermost first. */
export function foldersOf(path: string): string[] {
  return [...path.matchAll(/\/(?=[^])/g)].map(({ index }) => path.slice(0, index + 1))
}

/** An ignore file, and paths beside it. */
export const ruleCase: fc.Arbitrary<{ text: string; paths: string[] }> = pathList.chain((paths) =>
  fc.record({ text: ignoreFile(paths), paths: fc.constant(paths) }),
)

export interface TreeCase {
  /** `core.ignoreCase`. */
  fold: boolean
  /** Files, and folders with a slash at their end. */
  paths: string[]
  /** By folder: the one that is empty is the root. */
  ignoreFiles: Record<string, string>
  /** `.git/info/exclude`, and the file of all repositories. */
  exclude: string
  global: string
  /** Folders that are repositories themselves. */
  repositories: string[]
  /** Files that are in the index all the same. */
  tracked: string[]
}

export const treeCase: fc.Arbitrary<TreeCase> = pathList.chain((paths) => {
  const folders = [...new Set(paths.flatMap((path) => [...foldersOf(path), ...(path.endsWith('/') ? [path] : [])]))]
  const files = paths.filter((path) => !path.endsWith('/'))
  const below = (folder: string): string[] =>
    paths.filter((path) => path.startsWith(folder) && path !== folder).map((path) => path.slice(folder.length))
  return fc
    .record({
      fold: fc.boolean(),
      ignoreFiles: some(['', ...folders], 3).chain((with_) =>
        fc.record(Object.fromEntries(with_.map((folder) => [folder, ignoreFile(below(folder))]))),
      ),
      exclude: fc.oneof(fc.constant(''), ignoreFile(paths)),
      global: fc.oneof(fc.constant(''), ignoreFile(paths)),
      repositories: fc.oneof(fc.constant<string[]>([]), some(folders, 2)),
      tracked: fc.oneof(fc.constant<string[]>([]), some(files, 3)),
    })
    .map((rest) => ({ ...rest, paths }))
})

function some(all: string[], maxLength: number): fc.Arbitrary<string[]> {
  return fc.subarray(all, { maxLength: Math.min(maxLength, all.length) })
}
