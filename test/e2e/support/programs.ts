import { AssertionError } from 'node:assert'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { searchPath } from '../../support/environment.ts'
import { full } from '../../support/full.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The built programs under test; another folder's with KUBERUN_TEST_BIN. */
export const bin = process.env['KUBERUN_TEST_BIN'] ?? join(root, 'dist/bin')

/**
 * What the tests run on. KUBERUN_TEST_GROUND is `cluster`, for that of the current context; `sandbox-v4`, with the older
 * stream protocol, which kubectl's own exec does not speak; or not set, for a sandbox of each file's own.
 */
export const ground = process.env['KUBERUN_TEST_GROUND'] ?? 'sandbox'
export const onSandbox = ground !== 'cluster'

/** A number from the environment, for those who want more or fewer runs. */
export function amount(name: string, usual: number, inFull = usual): number {
  return Number(process.env[name] ?? (full ? inFull : usual))
}

/** A folder of this test file's own, gone with it. */
export const folder = mkdtempSync(join(tmpdir(), 'kuberun-e2e-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

/**
 * What a process gets: our programs and the current Node before all else, and caches of its own. The rest is the
 * developer's, as kubectl and its credential plugins may need it to reach the cluster.
 */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const path = [bin, searchPath].join(delimiter)
  return { ...process.env, DEBUG: undefined, PATH: path, XDG_CACHE_HOME: join(folder, 'cache'), ...extra }
}

export interface ShellOptions {
  env?: NodeJS.ProcessEnv
  /** Words that the script finds as `$1`, `$2`, … */
  words?: readonly string[]
  /** What the script reads; nothing by default. */
  input?: string | Buffer
  /** Milliseconds. */
  timeout?: number
}

/** How a process ended, with all that it printed. */
export interface Ended {
  script: string
  /** As a shell tells it: 128+n after signal n. */
  code: number
  stdout: string
  stderr: string
  milliseconds: number
}

/** A script that runs. A script of one command is replaced by it: its process id and its signals are the command's. */
export interface Started {
  pid: number
  ended: Promise<Ended>
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  /** To the script itself; `group`: to all that it started. */
  kill(signal: NodeJS.Signals, to?: 'group'): void
}

/** Runs a script in bash, as a user's shell would, to its end. Never throws for what the script does. */
export function sh(script: string, options: ShellOptions = {}): Promise<Ended> {
  return start(script, options).ended
}

const running = new Set<number>()
process.once('exit', () => {
  for (const pid of running) kill(-pid, 'SIGTERM')
})

/** Starts a script in a bash that leads a process group of its own. */
export function start(script: string, options: ShellOptions = {}): Started {
  const { env, words = [], input, timeout = 60_000 } = options
  const begin = performance.now()
  const child = execa('bash', ['-c', script, 'bash', ...words], {
    env: environment(env),
    extendEnv: false,
    reject: false,
    buffer: false,
    detached: true,
    cwd: folder,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  })
  const pid = child.pid ?? 0
  running.add(pid)
  const stdout = gather(child.stdout)
  const stderr = gather(child.stderr)
  let late = ''
  const timers = [
    setTimeout(() => {
      late = `\n[ended by the test after ${timeout} ms]`
      kill(-pid, 'SIGTERM')
      timers.push(setTimeout(() => kill(-pid, 'SIGKILL'), 15_000))
    }, timeout),
  ]
  const ended = child.then(({ exitCode, signal }): Ended => {
    for (const timer of timers) clearTimeout(timer)
    running.delete(pid)
    const code = exitCode ?? (signal === undefined ? -1 : 128 + constants.signals[signal])
    return { script, code, stdout: stdout(), stderr: stderr() + late, milliseconds: performance.now() - begin }
  })
  return { pid, ended, stdout, stderr, kill: (signal, to) => kill(to === 'group' ? -pid : pid, signal) }
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

export interface Expected {
  code?: number | readonly number[]
  stdout?: string | RegExp
  stderr?: string | RegExp
}

/** Compares how a process ended with what it should have, and shows all of it otherwise. */
export function expect(ended: Ended, expected: Expected): void {
  const codes = expected.code === undefined ? undefined : [expected.code].flat()
  const wrong = [
    ...(codes !== undefined && !codes.includes(ended.code) ? [`exit code ${codes.join(' or ')}`] : []),
    ...(fits(ended.stdout, expected.stdout) ? [] : [`stdout ${show(expected.stdout)}`]),
    ...(fits(ended.stderr, expected.stderr) ? [] : [`stderr ${show(expected.stderr)}`]),
  ]
  if (wrong.length === 0) return
  throw new AssertionError({ message: `expected ${wrong.join(', and ')}\n${describeEnd(ended)}` })
}

/** The words with which all our errors begin, and no stack: what a user sees where we failed. */
export function expectError(ended: Ended, sentence: RegExp, options: { code?: number; within?: number } = {}): void {
  const { code = 125, within } = options
  expect(ended, { code, stderr: sentence })
  const errors = ended.stderr.split('\n').filter((line) => line.startsWith('error: '))
  const problem =
    errors.length !== 1
      ? `one sentence that begins with "error: ", not ${errors.length}`
      : /\n\s+at .*[:(]|node:internal|internal error/.test(ended.stderr)
        ? 'no stack'
        : within !== undefined && ended.milliseconds > within
          ? `it within ${within} ms`
          : undefined
  if (problem !== undefined) throw new AssertionError({ message: `expected ${problem}\n${describeEnd(ended)}` })
}

export function describeEnd({ script, code, stdout, stderr, milliseconds }: Ended): string {
  return [
    `script: ${script}`,
    `exit code ${code} after ${Math.round(milliseconds)} ms`,
    `stdout: ${shorten(stdout)}`,
    `stderr: ${shorten(stderr)}`,
  ].join('\n')
}

function fits(text: string, expected: string | RegExp | undefined): boolean {
  if (expected === undefined) return true
  return typeof expected === 'string' ? text === expected : expected.test(text)
}

function show(expected: string | RegExp | undefined): string {
  return typeof expected === 'string' ? JSON.stringify(expected) : String(expected)
}

function shorten(text: string): string {
  return text.length <= 4_000 ? text : `${text.slice(0, 2_000)} … ${text.length} characters … ${text.slice(-1_500)}`
}
