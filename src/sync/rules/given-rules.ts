import { pathOf } from '../byte-text.ts'
import { decodeName, lastName } from '../path.ts'
import type { AskGit } from './git.ts'

/**
 * What is to count as the content of a rules file, by its path in the root, whether or not there is one: a character for
 * each byte. Undefined: what is in it.
 */
export type GivenRules = (path: string) => string | undefined

/** What is to be known, and to be told, of the files that rules are read from. */
export interface RulesSource {
  given?: GivenRules | undefined
  /** Is told of each that may be read through links, whether or not there is one: see {@link wayTo}. */
  onRead?: ((way: readonly string[]) => void) | undefined
  /** Asks git. */
  askGit?: AskGit | undefined
}

/** The files with rules that are in the folders of a root. */
export const rulesFiles: readonly string[] = ['.gitignore', '.warpignore']

export function isRulesFile(path: string): boolean {
  return rulesFiles.includes(lastName(path))
}

/** @param path as a byte text */
export function givenAt({ given }: RulesSource, path: string): string | undefined {
  return given?.(decodeName(pathOf(path)))
}
