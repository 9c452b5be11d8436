import { foldCase } from '../byte-text.ts'
import type { Rule } from './rules.ts'

/** Rules files that lie over each other, as they apply to the entries of one folder. The last one is the strongest. */
export interface Stack {
  /** `core.ignoreCase`. The rules are folded as this says. */
  readonly fold: boolean
  readonly layers: readonly Layer[]
}

interface Layer {
  readonly rules: readonly Rule[]
  /** The way from the folder of the rules file to the folder whose entries are judged: empty, or with a slash at its end. */
  readonly way: string
}

/** The rule that decides on an entry: the last one that matches, in the strongest file that has one. */
export function lastMatch({ fold, layers }: Stack, name: string, isFolder: boolean): Rule | undefined {
  const folded = fold ? foldCase(name) : name
  for (let over = layers.length - 1; over >= 0; over--) {
    const { rules, way } = layers[over] as Layer
    const path = way + folded
    for (let last = rules.length - 1; last >= 0; last--) {
      const rule = rules[last] as Rule
      if ((isFolder || !rule.folderOnly) && rule.matches(path, folded)) return rule
    }
  }
  return undefined
}

/** The stack with stronger rules on it, whose file is in the folder that is judged, or the way above it. */
export function stackOn(stack: Stack, rules: readonly Rule[], way = ''): Stack {
  if (rules.length === 0) return stack
  return { ...stack, layers: [...stack.layers, { rules, way: stack.fold ? foldCase(way) : way }] }
}

/** The stack as it applies to the entries of a folder in this one. */
export function stackInside({ fold, layers }: Stack, name: string): Stack {
  const step = `${fold ? foldCase(name) : name}/`
  return { fold, layers: layers.map(({ rules, way }) => ({ rules, way: way + step })) }
}
