import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'

/** Leaves nothing of the developer's git to matter: neither configuration, nor a repository that a hook runs in. */
export function withoutGitConfig(home: string): void {
  for (const name of Object.keys(process.env)) if (/^(GIT_|XDG_CONFIG_HOME$)/.test(name)) delete process.env[name]
  Object.assign(process.env, { HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: join(home, '.gitconfig') })
}

/** Runs git in a folder; gives its stdout, a character for each byte. */
export function git(folder: string, args: readonly string[], input = ''): string {
  try {
    const options = { cwd: folder, input: Buffer.from(input, 'latin1'), stdio: 'pipe' as const, maxBuffer: 1e9 }
    return execFileSync('git', args, options).toString('latin1')
  } catch (error) {
    // check-ignore has exit code 1 where nothing is ignored.
    const { status, stdout } = error as { status: number; stdout: Buffer }
    if (args.includes('check-ignore') && status === 1) return stdout.toString('latin1')
    throw error
  }
}

/** A folder that is removed with the tests' process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kuberun-ignore-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The line of an ignore file that decides on a path, from 1; 0 for none. Paths with a slash at the end are folders. */
export type Decide = (text: string, paths: readonly string[]) => number[]

/**
 * What git says of many ignore files and the paths beside them, in one go.
 *
 * @param cases byte texts
 */
export function gitDecides(
  repository: string,
  cases: readonly { text: string; paths: readonly string[] }[],
): number[][] {
  const places = cases.map(({ text, paths }, at) => {
    const place = join(repository, `case-${at}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, '.gitignore'), Buffer.from(text, 'latin1'))
    // git looks whether the path is a folder, and for nothing else.
    for (const path of paths) {
      if (path.endsWith('/')) mkdirSync(Buffer.from(`${place}/${path}`, 'latin1'), { recursive: true })
    }
    return `case-${at}`
  })
  const asked = cases.flatMap(({ paths }, at) => paths.map((path) => `${places[at]}/${path.replace(/\/$/, '')}\0`))
  const answer = git(repository, ['check-ignore', '--no-index', '-v', '-n', '-z', '--stdin'], asked.join(''))
  const fields = answer.split('\0')
  const lines = asked.map((_, at) => Number(fields[at * 4 + 1]))
  for (const place of places) rmSync(join(repository, place), { recursive: true })
  return cases.map(({ paths }) => lines.splice(0, paths.length))
}

const e = '\xc3\xa9'
const pieces = [
  'a',
  'a',
  'b',
  'c',
  'A',
  'B',
  '.',
  '-',
  '!',
  '#',
  ']',
  '^',
  '{',
  '+',
  '$',
  '(',
  ' ',
  '\t',
  '\r',
  '\xff',
  e,
]
const odd = [
  '*',
  '?',
  '[',
  '\\',
  ' a',
  'a ',
  'ab',
  'a.b',
  '#a',
  '!a',
  `a${e}b`,
  '[a]',
  '\\a',
  'abcabc',
  '.git.',
  '..a',
  ...pieces,
]
const globs = [
  '*',
  '*',
  '**',
  '**/',
  '/**',
  '/**/',
  '***',
  '?',
  '??',
  '*.b',
  '/',
  '/',
  '//',
  '\\',
  '\\ ',
  '\\*',
  '\\a',
  '\\A',
  '\\/',
  '\\\\',
]
const sets = [
  '[ab]',
  '[!a]',
  '[^a]',
  '[a-c]',
  '[c-a]',
  '[A-Z]',
  '[A]',
  '[]]',
  '[]-a]',
  '[!]a]',
  '[a',
  '[',
  '[]',
  '[!]',
  '[\\]]',
  '[\\',
  '[a-\\c]',
  '[--a]',
  '[a-]',
  '[/]',
  '[a/b]',
  '[!-/]',
  '[[:alpha:]]',
  '[[:upper:]]',
  '[![:space:]]',
  '[[:punct:]]',
  '[[:foo:]]',
  '[[:alpha:]',
  '[[:]',
  '[[::]]',
  '[[:alpha]',
  '[[:graph:]-a]',
  '[[:cntrl:]]',
  `[${e}]`,
  '[\x80-\xff]',
  '[[:constructor:]]',
]

const glob = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'a/', 'b/') },
  fc.constantFrom(...pieces),
  { weight: 2, arbitrary: fc.constantFrom(...globs) },
  fc.constantFrom(...sets),
)

/** A line of an ignore file, of anything: a byte text. */
const anyLine: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', '!/', '\\!', '\\#', '#'),
    fc.array(glob, { maxLength: 5 }),
    fc.constantFrom('', '', '/', ' ', '\r', '\\'),
  )
  .map(([start, middle, end]) => start + middle.join('') + end)

export const name: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', 'ab') }, fc.constantFrom(...odd)), {
    minLength: 1,
    maxLength: 2,
  })
  .map((parts) => parts.join(''))
  .filter((text) => !/^\.{1,2}$|^\.git/i.test(text))

/** Paths beside an ignore file, folders with a slash at their end; no path is both. */
export const paths: fc.Arbitrary<string[]> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.boolean()), { minLength: 1, maxLength: 8 })
  .map((all) => {
    const folders = new Set(all.flatMap(([parts]) => parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))))
    return all.map(([parts, isFolder]) =>
      isFolder || folders.has(parts.join('/')) ? `${parts.join('/')}/` : parts.join('/'),
    )
  })
  .map((all) => [...new Set(all)].filter((path) => path.endsWith('/') || !all.includes(`${path}/`)))

/** A line that probably matches one of the paths, or nearly. */
function lineNear(paths: readonly string[]): fc.Arbitrary<string> {
  const bit = fc.tuple(fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2, 3, 4), glob)
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.constantFrom('', '', '/', '!'),
      fc.boolean(),
      fc.array(bit, { minLength: 20, maxLength: 20 }),
    )
    .map(([path, start, isWhole, bits]) => {
      const part = isWhole ? path : path.replace(/^.*\/(?=.)/, '')
      const middle = [...part].map((character, at) => {
        const [kind, other] = bits[at] ?? [0, '']
        return [character, other, `\\${character}`, character + other, ''][kind]
      })
      return start + middle.join('')
    })
}

/** An ignore file and paths beside it: byte texts. */
export const ruleCase: fc.Arbitrary<{ text: string; paths: string[] }> = paths.chain((all) =>
  fc.record({
    text: fc
      .array(fc.oneof(anyLine, { weight: 3, arbitrary: lineNear(all) }).filter(isStable), {
        minLength: 1,
        maxLength: 3,
      })
      .map((lines) => lines.join('\n')),
    paths: fc.constant(all),
  }),
)

/** Before git 2.52, `ab**` in a path was taken for `ab/**` where no special character was before it. */
function isStable(line: string): boolean {
  return !/^!?[^*?[\\]*[^*?[\\/!]\*\*/.test(line) && !/^![^*?[\\/]+\*\*/.test(line)
}
