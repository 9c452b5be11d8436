import type { Exec } from '../../exec/exec.ts'
import { killed, writeFailure } from './remote-failure.ts'

/** How much of what the commands complain of is kept: what they said last. */
const mostWords = 2_000

/** What comes from the script: lines of its own, and what its commands complain of. */
export class Conversation {
  stderr = ''
  readonly #exec: Exec
  #lines: string[] = []
  #rest = ''
  #refusal: Error | undefined
  readonly #remoteDir: string

  constructor(exec: Exec, remoteDir: string) {
    this.#exec = exec
    this.#remoteDir = remoteDir
  }

  /** Its next line; undefined when it has ended. */
  async next(): Promise<string | undefined> {
    while (this.#lines.length === 0) {
      const next = await this.#exec.output.next()
      if (next.done) {
        if (next.value.kind === 'failed') this.#refusal = next.value.error
        else if (next.value.code > 128) this.#refusal = killed(next.value.code)
        return undefined
      }
      const text = next.value.data.toString()
      if (next.value.channel === 2) this.stderr = (this.stderr + text).slice(-mostWords)
      else this.#take(text)
    }
    return this.#lines.shift()
  }

  failure(): Error {
    return this.#refusal ?? writeFailure(this.stderr, this.#remoteDir)
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    this.#lines.push(...lines)
  }
}
