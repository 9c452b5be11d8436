import { foldCase } from '../byte-text.ts'
import { optionRule, type Rule } from './rules.ts'
import { lastMatch, type Stack, stackInside, stackOn } from './stack.ts'
import type { Verdict } from './verdict.ts'

/** What `--include` lets go of the entries of one folder: what matches, and what is below a folder that does. */
export interface Inclusion {
  verdict(name: string, isFolder: boolean): Verdict
  inside(name: string): Inclusion
}

/** The inclusion in the local root; undefined without patterns: everything goes. */
export function openInclusion(patterns: readonly string[], fold: boolean): Inclusion | undefined {
  if (patterns.length === 0) return undefined
  const rules = patterns.flatMap((pattern) => optionRule(pattern, { source: '--include', fold }) ?? [])
  const reaches = rules.filter(({ negated }) => !negated).map((rule) => reachOf(rule, fold))
  return inclusion({ stack: stackOn({ fold, layers: [] }, rules), reaches, path: '', within: undefined })
}

interface State {
  stack: Stack
  reaches: readonly Reach[]
  path: string
  /** The verdict on the folder itself, where it is included. */
  within: Verdict | undefined
}

function inclusion({ stack, reaches, path, within }: State): Inclusion {
  const step = (name: string): string => `${path}${stack.fold ? foldCase(name) : name}/`
  const verdict = (name: string, isFolder: boolean): Verdict => {
    const rule = lastMatch(stack, name, isFolder)
    if (rule?.negated === false) return { answer: 'in', reason: rule.reason }
    if (rule === undefined && within !== undefined) return within
    const mayHold = isFolder && reaches.some((reach) => goesInto(reach, step(name)))
    return { answer: mayHold ? 'walk' : 'out', reason: rule?.reason ?? 'not in --include' }
  }
  return {
    verdict,
    inside: (name) => {
      const folder = verdict(name, true)
      return inclusion({
        stack: stackInside(stack, name),
        reaches,
        path: step(name),
        within: folder.answer === 'in' ? folder : undefined,
      })
    },
  }
}

/** Where the matches of a pattern can be; rather too far than not far enough, as it costs but a look into a folder. */
interface Reach {
  /** The folders that the pattern begins with as they are: empty, or with a slash at its end. */
  head: string
  /** How many names a path that matches has at most. */
  depth: number
}

function reachOf({ glob, anchored }: Rule, fold: boolean): Reach {
  if (!anchored || glob.includes('**')) return { head: '', depth: Number.POSITIVE_INFINITY }
  const [plain = ''] = /^[^*?[\\]*/.exec(fold ? foldCase(glob) : glob) ?? []
  return { head: plain.slice(0, plain.lastIndexOf('/') + 1), depth: glob.split('/').length }
}

function goesInto({ head, depth }: Reach, folder: string): boolean {
  return folder.split('/').length <= depth && (folder.startsWith(head) || head.startsWith(folder))
}
