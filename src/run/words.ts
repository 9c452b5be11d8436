import type { ShellMode } from '../options.ts'

/** What only a shell can make sense of. */
const shellCharacters = /[\s|&;<>()$`"'\\*?[#~=%!{}]/

/**
 * The argv that a run's words stand for: one single word that looks like a command line is a shell's, several words are
 * an argv as they are.
 */
export function commandArgv(words: readonly string[], shell: ShellMode): string[] {
  const [first = ''] = words
  if (shell === 'always') return ['sh', '-c', words.length === 1 ? first : words.join(' ')]
  if (shell === 'auto' && words.length === 1 && shellCharacters.test(first)) return ['sh', '-c', first]
  return [...words]
}

/**
 * What to tell of an exit code 127, which leaves open what was not found; undefined where a shell ran the words, which
 * has told it.
 */
export function notFoundHint(words: readonly string[], shell: ShellMode, image: string): string | undefined {
  if (commandArgv(words, shell)[0] !== words[0]) return undefined
  const notFound = `exit code 127: "${words[0]}", or what it started, was not found in image "${image}"; its ENTRYPOINT is not run`
  const line = words.find((word) => /\s/.test(word.trim()))
  if (line === undefined) return notFound
  return `${notFound}; "${line}" looks like a command line: give it as the only word, and a shell runs it`
}
