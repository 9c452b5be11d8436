import { posix } from 'node:path'
import { byteText, foldCase, shown } from '../byte-text.ts'
import { type GitRules, noGitRules, openGitRules } from './git-rules.ts'
import { givenAt, type RulesSource } from './given-rules.ts'
import { type Inclusion, openInclusion } from './inclusion.ts'
import { foldsCase } from './repository.ts'
import { optionRule, parseRules } from './rules.ts'
import { readOwnRules } from './rules-file.ts'
import { lastMatch, type Stack, stackInside, stackOn } from './stack.ts'
import { stricter, type Verdict } from './verdict.ts'
import { wayTo } from './way-to.ts'

export type { Verdict } from './verdict.ts'

/**
 * What applies to the entries of one folder. In names, a byte that is not UTF-8 is a lone surrogate U+DC80..U+DCFF.
 */
export interface FolderFilter {
  /** Pure. A symlink is no folder, wherever it leads. */
  verdict(name: string, isFolder: boolean): Verdict
  /**
   * The filter of a folder in this one that was just listed, and whose verdict is not `out`; reads the rules files that
   * are in it. Where a repository begins in it, git is asked about that.
   *
   * @param entries the names in it
   * @throws KuberunError when a `.warpignore` cannot be read, or git does not answer
   */
  enter(name: string, entries: ReadonlySet<string>): Promise<FolderFilter>
}

export interface FilterOptions extends RulesSource {
  /** gitignore patterns, as on a line of an ignore file at the root. */
  exclude: readonly string[]
  /** As `exclude`; where there is one, nothing else goes. */
  include: readonly string[]
  /** False for --no-ignore: neither git's rules nor .warpignore; .git still stays out, --exclude and --include still count. */
  ignore: boolean
}

/** What our own files begin with while they are written: these never go. */
export const stagingPrefix = '.kuberun-sync-'

/**
 * The filter of a local root. What git ignores stays out, exactly as git has it; over that lie the `.warpignore` files
 * of the root and below it, and over these `--exclude`: what each of them says last counts, and as in git, what is in a
 * folder that stays out cannot be taken back in. Of what is left, `--include` chooses.
 *
 * @param root an absolute path
 * @param entries the names in the root folder
 * @throws KuberunError when a `.warpignore` cannot be read, or git does not answer
 */
export async function openFilter(
  root: string,
  entries: ReadonlySet<string>,
  options: FilterOptions,
): Promise<FolderFilter> {
  const folder = byteText(root)
  const source: RulesSource = options
  const git = options.ignore
    ? await openGitRules(folder, { entries, source })
    : noGitRules(await foldsCase(folder, options.askGit))
  const { fold } = git
  const bottom: Stack = { fold, layers: [] }
  const exclude = options.exclude.flatMap((pattern) => optionRule(pattern, { source: '--exclude', fold }) ?? [])
  return folderFilter({
    folder,
    place: '',
    ignore: options.ignore,
    source,
    git,
    own: options.ignore ? await withFile(bottom, { folder, place: '', entries, source }) : bottom,
    exclude: stackOn(bottom, exclude),
    inclusion: openInclusion(options.include, fold),
  })
}

interface State {
  folder: string
  /** The way from the local root to the folder: empty, or with a slash at its end. */
  place: string
  ignore: boolean
  source: RulesSource
  git: GitRules
  /** Of `.warpignore`. */
  own: Stack
  exclude: Stack
  inclusion: Inclusion | undefined
}

function folderFilter(state: State): FolderFilter {
  return {
    verdict: (name, isFolder) => {
      const text = byteText(name)
      const verdict = judge(state, text, isFolder)
      if (verdict.answer === 'out' || state.inclusion === undefined) return verdict
      return stricter(verdict, state.inclusion.verdict(text, isFolder))
    },
    enter: async (given, entries) => {
      const name = byteText(given)
      const [folder, place] = [posix.join(state.folder, name), `${state.place}${name}/`]
      const own = stackInside(state.own, name)
      const reincluded = judge(state, name, true).answer === 'in'
      return folderFilter({
        folder,
        place,
        ignore: state.ignore,
        source: state.source,
        git: await state.git.enter(name, entries, reincluded),
        own: state.ignore ? await withFile(own, { folder, place, entries, source: state.source }) : own,
        exclude: stackInside(state.exclude, name),
        inclusion: state.inclusion?.inside(name),
      })
    },
  }
}

/** The verdict without `--include`. */
function judge({ git, own, exclude }: State, name: string, isFolder: boolean): Verdict {
  if ((git.fold ? foldCase(name) : name) === '.git') return { answer: 'out', reason: '.git' }
  if (name.startsWith(stagingPrefix)) return { answer: 'out', reason: `${stagingPrefix}*` }
  const rule = lastMatch(exclude, name, isFolder) ?? lastMatch(own, name, isFolder)
  if (rule?.negated === false) return { answer: 'out', reason: rule.reason }
  if (rule !== undefined && git.ignoredBy === undefined) return { answer: 'in', reason: rule.reason }
  return git.verdict(name, isFolder)
}

const fileName = '.warpignore'

interface Place {
  folder: string
  place: string
  entries: ReadonlySet<string>
  source: RulesSource
}

async function withFile(stack: Stack, { folder, place, entries, source }: Place): Promise<Stack> {
  const instead = givenAt(source, place + fileName)
  if (instead === undefined && !entries.has(fileName)) return stack
  const path = posix.join(folder, fileName)
  source.onRead?.(await wayTo(path))
  const text = instead ?? (await readOwnRules(path))
  return stackOn(stack, parseRules(text, { source: shown(place) + fileName, fold: stack.fold }))
}
