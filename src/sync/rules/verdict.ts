/** What is to be done with an entry of the local root. */
export interface Verdict {
  /** `in`: goes up; `out`: does not, and a folder is not even walked; `walk`: a folder that goes only where something below it does. */
  readonly answer: 'in' | 'out' | 'walk'
  /** Why, in words for a user: `.gitignore:3: *.log`, `--exclude *.o`, `not in --include`, `.git`, … */
  readonly reason: string
}

/** Of two verdicts that must both let an entry go, the one that counts; the second where they agree. */
export function stricter(first: Verdict, second: Verdict): Verdict {
  return strictness[first.answer] > strictness[second.answer] ? first : second
}

const strictness = { in: 0, walk: 1, out: 2 }
