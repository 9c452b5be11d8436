import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { manifest } from '../../support/trees.ts'
import type { Place } from './place.ts'
import { type Ended, folder, type ShellOptions, type Started } from './programs.ts'
import { until } from './wait.ts'

/**
 * Prints all that is below the current folder, by BusyBox and GNU alike: of each entry its name, its mode, size and mtime,
 * and its content's hash or its target, each with a NUL byte after it; and all of it as base64.
 */
export const manifestScript = `LC_ALL=C find . -exec sh -c '
for f do
  printf "%s\\0" "$f"
  stat -c "%f %s %Y" "$f"
  if [ -L "$f" ]; then readlink -n "$f"; elif [ -f "$f" ]; then sha256sum <"$f"; fi
  printf "\\0"
done' sh {} + | base64`

/** What {@link manifestScript} has printed, in the lines of `manifest` without the times of links. */
export function podManifest(stdout: string): string[] {
  const [...fields] = Buffer.from(stdout, 'base64').toString('latin1').split('\0').slice(0, -1)
  const lines: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', facts = ''] = fields.slice(at, at + 2)
    if (name !== '.') lines.push(lineOf(name.replace('./', ''), facts))
  }
  return lines.toSorted()
}

const [folderType, linkType] = [0o04, 0o12]

function lineOf(name: string, facts: string): string {
  const [, bits = '', size, mtime, rest = ''] = /^(\w+) (\d+) (-?\d+)\n(.*)$/s.exec(facts) ?? []
  const [type, mode] = [Number.parseInt(bits, 16) >> 12, (Number.parseInt(bits, 16) & 0o7777).toString(8)]
  const quoted = JSON.stringify(name)
  if (type === linkType) return `${quoted} link ${JSON.stringify(rest)} `
  if (type === folderType) return `${quoted} folder ${mode} ${mtime}`
  return `${quoted} file ${mode} ${size} ${mtime} ${rest.slice(0, 64)}`
}

let count = 0

/** A run whose command is a shell that is told what to do: to look at the pod's folder while it is kept up. */
export class PodShell implements AsyncDisposable {
  readonly run: Started
  readonly #requests: number
  #asked = 0
  #isOpen = true

  private constructor(run: Started, requests: number) {
    this.run = run
    this.#requests = requests
  }

  /** @param command such as `kubectl warp --image x`, to be run in that folder */
  static async start(place: Place, command: string, cwd: string, options: ShellOptions = {}): Promise<PodShell> {
    const pipe = join(folder, `requests-${count++}`)
    execFileSync('mkfifo', [pipe])
    // A FIFO that is open for both sides waits for neither.
    const requests = openSync(pipe, 'r+')
    const script = `cd "$1" && exec ${command} sh <"$2"`
    const shell = new PodShell(place.start(script, { timeout: 120_000, ...options, words: [cwd, pipe] }), requests)
    try {
      await shell.ask('true')
      return shell
    } catch (error) {
      await shell.end()
      throw error
    }
  }

  /** Runs a script there, one at a time. @returns what it prints to stdout */
  async ask(script: string): Promise<string> {
    const mark = `end ${++this.#asked}:`
    const from = this.run.stdout().length
    writeSync(this.#requests, `{ ${script}\n} </dev/null 2>/dev/null; printf '\\n%s\\n' '${mark}'\n`)
    const ended = this.run.ended.then((end) => {
      throw new Error(`the run ended: ${JSON.stringify(end)}`)
    })
    ended.catch(() => {})
    const answered = until(
      `the answer to ${script}`,
      () => {
        const text = this.run.stdout().slice(from)
        const end = text.indexOf(`\n${mark}\n`)
        return end >= 0 && { text: text.slice(0, end) }
      },
      { every: 15 },
    )
    return (await Promise.race([answered, ended])).text
  }

  async manifest(): Promise<string[]> {
    return podManifest(await this.ask(manifestScript))
  }

  /**
   * Waits until the pod's folder is like the local one.
   * @param seen makes of a line of the manifests what is compared of it, if anything
   */
  async isLike(path: string, seen: (line: string) => string | undefined = (line) => line): Promise<void> {
    const linesOf = (lines: readonly string[]) => lines.map(seen).filter((line) => line !== undefined)
    let differences: string[] = []
    await until('the pod’s folder to be like this one', async () => {
      const there = linesOf(await this.manifest())
      const here = linesOf(manifest(path, false))
      differences = [...without(here, there, 'here'), ...without(there, here, 'there')]
      return differences.length === 0
    }).catch((cause: unknown) => {
      throw new Error(`the pod’s folder differs:\n${differences.slice(0, 20).join('\n')}`, { cause })
    })
  }

  /** Ends the run. @returns how it ended */
  async end(): Promise<Ended> {
    if (this.#isOpen) writeSync(this.#requests, 'exit\n')
    if (this.#isOpen) closeSync(this.#requests)
    this.#isOpen = false
    return this.run.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

function without(lines: readonly string[], others: readonly string[], where: string): string[] {
  const all = new Set(others)
  return lines.filter((line) => !all.has(line)).map((line) => `${where}: ${line}`)
}
