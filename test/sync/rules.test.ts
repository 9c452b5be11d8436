import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { byteText, foldCase, pathOf } from '../../src/sync/byte-text.ts'
import { patternFault } from '../../src/sync/rules/pattern-fault.ts'
import { parseRules, type Rule } from '../../src/sync/rules/rules.ts'
import { full } from '../support/full.ts'
import { git, temporaryFolder, withoutGitConfig } from '../support/git.ts'
import { foldersOf, ruleCase } from '../support/ignore-cases.ts'

withoutGitConfig(temporaryFolder())

/** The line that decides on a path, or on the first folder above it that is ignored; 0 for none. */
function decides(text: string, path: string, fold = false): number {
  const rules = parseRules(text, { source: '.gitignore', fold })
  for (const place of [...foldersOf(path), path]) {
    const rule = lastMatch(rules, fold ? foldCase(place) : place)
    if (rule !== undefined && (!rule.negated || place === path)) return rule.line
  }
  return 0
}

function lastMatch(rules: readonly Rule[], place: string): Rule | undefined {
  const path = place.replace(/\/$/, '')
  const name = path.slice(path.lastIndexOf('/') + 1)
  return rules.findLast((rule) => (place.endsWith('/') || !rule.folderOnly) && rule.matches(path, name))
}

function matches(pattern: string, path: string, fold = false): boolean {
  return decides(byteText(pattern), byteText(path), fold) > 0
}

/** Asks git the same of many cases at once: starting it is what takes time. */
function gitDecides(repository: string, cases: readonly { text: string; paths: readonly string[] }[]): number[] {
  const asked = cases.flatMap(({ text, paths }, at) => {
    const place = join(repository, `${at}`)
    mkdirSync(place)
    writeFileSync(join(place, '.gitignore'), pathOf(text))
    // Whether a path is a folder is all that git looks for.
    for (const path of paths) if (path.endsWith('/')) mkdirSync(pathOf(join(place, path)), { recursive: true })
    return paths.map((path) => `${at}/${path.replace(/\/$/, '')}\0`)
  })
  const fields = git(repository, ['check-ignore', '--no-index', '-v', '-n', '-z', '--stdin'], asked.join('')).split(
    '\0',
  )
  for (const at of cases.keys()) rmSync(join(repository, `${at}`), { recursive: true })
  return asked.map((_, at) => Number(fields[at * 4 + 1]))
}

for (const fold of [false, true]) {
  test(`git decides by the same line${fold ? ', with core.ignoreCase' : ''}`, () => {
    const repository = temporaryFolder()
    git(repository, ['init', '-q'])
    git(repository, ['config', 'core.ignoreCase', String(fold)])
    let ignored = 0
    fc.assert(
      fc.property(fc.array(ruleCase, { minLength: 1, maxLength: 40, size: 'max' }), (cases) => {
        const expected = gitDecides(repository, cases)
        const actual = cases.flatMap(({ text, paths }) => paths.map((path) => decides(text, path, fold)))
        ignored += expected.filter((line) => line > 0).length
        assert.deepEqual(actual, expected)
      }),
      { numRuns: full ? 500 : 10 },
    )
    assert.ok(ignored > 0, 'no path was matched by a rule')
  })
}

const language: [pattern: string, matched: string[], others: string[]][] = [
  ['a', ['a', 'b/a', 'a/', 'a/b'], ['ab', 'A']],
  ['a/', ['a/', 'b/a/', 'a/b'], ['a']],
  ['/a', ['a'], ['b/a']],
  ['a/b', ['a/b'], ['c/a/b']],
  ['*.o', ['x.o', 'd/x.o', '.o'], ['x.oo']],
  ['a/*', ['a/b'], ['a', 'c/a/b']],
  ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
  ['**/a', ['a', 'b/c/a'], ['ba']],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a/c']],
  ['a/**/b', ['a/b', 'a/x/y/b'], ['ab', 'a/xb']],
  // As git has it since 2.52, and its manual always had: before, "foo**/bar" was "foo/**/bar", and matched "foobar" too.
  ['a*b*c', ['abc', 'axbxbc'], ['ab', 'acb']],
  ['a*5*15', ['a515', 'a5515'], ['a15']],
  ['**/a*b/**/c', ['ab/c', 'ax/ayb/c', 'ax/ayb/d/c'], ['ax/c']],
  ['foo**/bar', ['foo/bar', 'foox/bar'], ['foobar', 'foo/x/bar']],
  ['[a-c]x', ['ax', 'cx'], ['dx', '-x']],
  ['[!a-c]x', ['dx'], ['ax', 'x']],
  ['[^a]', ['b'], ['a']],
  ['[]]', [']'], ['a']],
  ['[[:digit:][:upper:]]', ['7', 'Q'], ['q', ':']],
  ['a[/]b', [], ['a/b']],
  ['\\*', ['*'], ['a']],
  ['\\#', ['#'], ['\\#']],
  ['\\!a', ['!a'], ['a']],
  ['a ', ['a'], ['a ']],
  ['a\\ ', ['a '], ['a']],
  ['a\\  ', ['a '], ['a', 'a  ']],
  [' a', [' a'], ['a']],
  ['a\r', ['a'], ['a\r']],
  ['a\t', ['a\t'], ['a']],
  ['\ufeffa', ['a'], ['\ufeffa']],
  // A "?" and a class take one byte.
  ['?', ['a'], ['é', '日', 'ab']],
  ['??', ['é', 'ab'], ['a']],
  // The class is of the two bytes of the letter, each for itself.
  ['[é]', [], ['é']],
  ['[é]?', ['é'], ['éa']],
  ['caf*', ['café', 'caf\udcff'], []],
  ['x?', ['x\udcff'], ['x\udcff\udcff', 'xé']],
]

for (const [pattern, matched, others] of language) {
  test(`the pattern ${JSON.stringify(pattern)} matches what git has it match`, () => {
    for (const path of matched) assert.ok(matches(pattern, path), path)
    for (const path of others) assert.ok(!matches(pattern, path), path)
  })
}

test('a pattern takes no longer for many stars', { timeout: 20_000 }, () => {
  const rows: [pattern: string, path: string, isMatch: boolean][] = [
    [`${'*a'.repeat(60)}*b`, 'a'.repeat(255), false],
    [`${'*a'.repeat(60)}*b`, `${'a'.repeat(254)}b`, true],
    [`${'**/a*a/'.repeat(30)}b`, 'aa/'.repeat(200), false],
    [`${'**/a*a/'.repeat(30)}b`, `${'aa/'.repeat(200)}b`, true],
    [`${'[a-z]*'.repeat(100)}1`, 'a'.repeat(255), false],
  ]
  for (const [pattern, path, isMatch] of rows) assert.equal(matches(pattern, path), isMatch, pattern)
})

test('a pattern that is longer than any path matches nothing', () => {
  for (const count of [20_000, 70_000]) assert.equal(matches('*a'.repeat(count), 'a'.repeat(255)), false)
})

test('what comes last decides, unless a folder above is ignored', () => {
  assert.equal(decides('*.log\n!a.log', 'a.log'), 2)
  assert.equal(decides('!a.log\n*.log', 'a.log'), 2)
  assert.equal(decides('logs/\n!logs/a.log', 'logs/a.log'), 1)
  assert.equal(decides('logs/*\n!logs/a.log', 'logs/a.log'), 2)
})

test('comments and empty lines count as lines, but are no rules', () => {
  const rules = parseRules('# a\n\n  \r\n*.o\n!\n', { source: 'sub/.gitignore', fold: false })
  assert.deepEqual(
    rules.map(({ reason }) => reason),
    ['sub/.gitignore:4: *.o', 'sub/.gitignore:5: !'],
  )
})

test('with core.ignoreCase letters of ASCII are the same in both cases, as far as git goes', () => {
  assert.ok(matches('ReadMe', 'README', true))
  assert.ok(matches('*.TXT', 'a.txt', true))
  assert.ok(matches('[A-C]/x*', 'b/X1', true))
  assert.ok(!matches('É', 'é', true))
})

const faults: [pattern: string, fault: RegExp][] = [
  ['', /empty/],
  ['  ', /empty/],
  ['a\nb', /one line/],
  ['#a', /comment/],
  ['!', /after "!"/],
  ['!/', /after "!"/],
  ['/', /name something/],
  ['[a', /never closed/],
  ['a[]', /never closed/],
  ['[[:alfa:]]', /"\[:alfa:\]", which is no class/],
  ['a\\', /ends in a "\\"/],
  ['a\\/', /ends in a "\\"/],
  ['a//b', /two slashes/],
  ['./a', /"\/a" for "\.\/a"/],
  ['..', /"\.\."/],
]

for (const [pattern, fault] of faults) {
  test(`the pattern ${JSON.stringify(pattern)} can match nothing, and it is said why`, () => {
    assert.match(patternFault(pattern) ?? '', fault)
  })
}

test('a pattern that can match has no fault', () => {
  for (const [pattern, matched] of language) {
    if (matched.length > 0 && !pattern.startsWith('\ufeff')) assert.equal(patternFault(pattern), undefined, pattern)
  }
  assert.equal(patternFault('a b/[./]c'), undefined)
})
