import { type AskGit, askGit } from './git.ts'

/** How long an answer holds, in milliseconds. */
const holds = 2_000

/**
 * Asks git, but not twice for the same within two seconds: a short run lists its tree three times, and each time it would
 * take four processes for each repository.
 */
export class GitAnswers {
  readonly #answers = new Map<string, ReturnType<AskGit>>()
  #since = 0

  ask: AskGit = (args, options) => {
    if (performance.now() - this.#since > holds) this.forget()
    const question = JSON.stringify([args, options])
    const answer = this.#answers.get(question) ?? askGit(args, options)
    this.#answers.set(question, answer)
    return answer
  }

  forget(): void {
    this.#answers.clear()
    this.#since = performance.now()
  }
}
