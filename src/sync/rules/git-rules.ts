import { realpath } from 'node:fs/promises'
import { posix } from 'node:path'
import { pathOf, shown } from '../byte-text.ts'
import { gitFolderAt } from './git-folder.ts'
import { givenAt, type RulesSource } from './given-rules.ts'
import { openRepository, type Repository } from './repository.ts'
import { parseRules, type Rule } from './rules.ts'
import { readGitRules, readGitRulesHere } from './rules-file.ts'
import { lastMatch, type Stack, stackInside, stackOn } from './stack.ts'
import type { Verdict } from './verdict.ts'
import { wayTo } from './way-to.ts'

/** What git ignores of the entries of one folder. Names are byte texts. */
export interface GitRules {
  /** `core.ignoreCase`. */
  readonly fold: boolean
  /** Set where the folder itself is ignored, and walked for its tracked files alone: by what. */
  readonly ignoredBy: string | undefined
  verdict(name: string, isFolder: boolean): Verdict
  /**
   * The rules in a folder of this one.
   *
   * @param reincluded its verdict here was overruled: it is not ignored
   */
  enter(name: string, entries: ReadonlySet<string>, reincluded: boolean): Promise<GitRules>
}

/** The rules of git in a local root: an absolute path, as a byte text. */
export async function openGitRules(
  root: string,
  { entries, source }: Pick<Opening, 'entries' | 'source'>,
): Promise<GitRules> {
  // git counts the steps up to its top from where a folder really is.
  const real = await realpath(pathOf(root), 'latin1').catch(() => root)
  return open({ folder: real, place: '', entries, inherits: true, source })
}

/** Those that let everything go. */
export function noGitRules(fold: boolean): GitRules {
  const rules: GitRules = { fold, ignoredBy: undefined, verdict: () => free, enter: async () => rules }
  return rules
}

const free: Verdict = { answer: 'in', reason: 'not ignored' }

interface Opening {
  folder: string
  /** The way from the local root to the folder, for reasons: empty, or with a slash at its end. */
  place: string
  entries: ReadonlySet<string>
  inherits: boolean
  source: RulesSource
}

/** Where git's rules begin: in the local root, and in each repository below it, of which the outer ones know nothing. */
async function open({ folder, place, entries, inherits, source }: Opening): Promise<GitRules> {
  const { tracked, fold, way, rulesFiles } = await openRepository(folder, { inherits, askGit: source.askGit })
  let stack: Stack = { fold, layers: [] }
  for (const path of rulesFiles) {
    source.onRead?.(await wayTo(path))
    const name = path.startsWith(`${folder}/`) ? place + path.slice(folder.length + 1) : path
    stack = stackOn(stack, parseRules(await readGitRules(path), { source: shown(name), fold }), way)
  }
  const parts = way.split('/').slice(0, -1)
  for (const at of parts.keys()) {
    const up = '../'.repeat(parts.length - at)
    const rules = await rulesIn({ folder: posix.join(folder, up), place: place + up, fold, source: {} })
    stack = stackOn(stack, rules, `${parts.slice(at).join('/')}/`)
  }
  if (hasRules(place, entries, source)) stack = stackOn(stack, await rulesIn({ folder, place, fold, source }))
  return gitRules({ folder, place, path: '', tracked, ignoredBy: undefined, stack, source })
}

const fileName = '.gitignore'

function hasRules(place: string, entries: ReadonlySet<string>, source: RulesSource): boolean {
  return entries.has(fileName) || givenAt(source, place + fileName) !== undefined
}

interface RulesPlace extends Pick<Opening, 'folder' | 'place' | 'source'> {
  fold: boolean
}

async function rulesIn({ folder, place, fold, source }: RulesPlace): Promise<Rule[]> {
  const text = givenAt(source, place + fileName) ?? (await readGitRulesHere(posix.join(folder, fileName)))
  return parseRules(text, { source: shown(place) + fileName, fold })
}

interface State extends Pick<Repository, 'tracked'> {
  folder: string
  place: string
  /** The way from where git's rules began to the folder: empty, or with a slash at its end. */
  path: string
  ignoredBy: string | undefined
  stack: Stack
  source: RulesSource
}

function gitRules(state: State): GitRules {
  const { ignoredBy, stack, source } = state
  const verdict = (name: string, isFolder: boolean): Verdict => judge(state, name, isFolder)
  return {
    fold: stack.fold,
    ignoredBy,
    verdict,
    enter: async (name, entries, reincluded) => {
      const [folder, place] = [posix.join(state.folder, name), `${state.place}${name}/`]
      const { answer, reason } = reincluded ? free : verdict(name, true)
      const isIgnored = answer !== 'in'
      if (!isIgnored && entries.has('.git') && (await gitFolderAt(folder)) !== undefined) {
        return open({ folder, place, entries, inherits: false, source })
      }
      const inner = stackInside(stack, name)
      const hasOwn = !isIgnored && hasRules(place, entries, source)
      const own = hasOwn ? await rulesIn({ folder, place, fold: stack.fold, source }) : []
      const path = `${state.path}${name}/`
      return gitRules({
        ...state,
        folder,
        place,
        path,
        ignoredBy: isIgnored ? reason : undefined,
        stack: stackOn(inner, own),
      })
    },
  }
}

function judge({ ignoredBy, stack, tracked, path }: State, name: string, isFolder: boolean): Verdict {
  const rule = ignoredBy === undefined ? lastMatch(stack, name, isFolder) : undefined
  const by = ignoredBy ?? (rule?.negated === false ? rule.reason : undefined)
  if (by === undefined) return rule === undefined ? free : { answer: 'in', reason: rule.reason }
  const index = tracked.at(path + name)
  if (index === (isFolder ? 'folder' : 'file')) return { answer: 'in', reason: `tracked by git, in spite of ${by}` }
  return { answer: isFolder && index === 'above' ? 'walk' : 'out', reason: by }
}
