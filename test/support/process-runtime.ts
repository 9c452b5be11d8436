import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type {
  Container,
  ContainerSpec,
  ExecOptions,
  ExecProcess,
  ProcessEnd,
  Runtime,
} from '../../src/sandbox/runtime.ts'
import { ExecError, StartError } from '../../src/sandbox/runtime.ts'

/**
 * A stand-in for the sandbox's runtime: processes with process ids and a /dev/shm of their own, and nothing else of a
 * container. For tests of what is in front of it.
 */
export class ProcessRuntime implements Runtime {
  readonly #children = new Set<ChildProcess>()

  async start(spec: ContainerSpec): Promise<Container> {
    const [program = 'true'] = spec.command
    if (!found(program)) throw new StartError(`exec: "${program}": executable file not found in $PATH: unknown`)
    const script = 'mount -t tmpfs none /dev/shm && echo up >&3 && exec 3>&- "$@"'
    const argv = ['-rmpf', '--mount-proc', '--kill-child', 'sh', '-c', script, 'container', ...spec.command]
    const child = spawn('unshare', argv, {
      env: spec.env,
      stdio: [spec.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
    this.#children.add(child)
    child.stdout?.on('data', (data: Buffer) => spec.onOutput('stdout', data))
    child.stderr?.on('data', (data: Buffer) => spec.onOutput('stderr', data))
    child.stdin?.on('error', () => {})
    const ended = endOf(child)
    void ended.then(() => this.#children.delete(child))
    await Promise.race([once(child.stdio[3] as NodeJS.ReadableStream, 'data'), ended])
    const children =
      child.exitCode === null ? readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8') : ''
    const first = Number(children)
    const enter = ['-t', String(first), '-U', '-m', '-p', '--preserve-credentials', 'setsid', '--']
    return {
      stdin: child.stdin ?? undefined,
      ended,
      exec: (options) => execIn(enter, options, spec.env),
      signal: (name) => void (child.exitCode === null && first > 0 && kill(first, `SIG${name}`)),
      remove: async () => {},
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}

async function execIn(
  enter: string[],
  { command, stdin, tty }: ExecOptions,
  env: ContainerSpec['env'],
): Promise<ExecProcess> {
  const [program = ''] = command
  if (!found(program)) throw new ExecError(`exec: "${program}": executable file not found in $PATH: unknown`)
  // A terminal by util-linux: its size is its own.
  const argv = tty ? ['script', '-qec', command.map(quote).join(' '), '/dev/null'] : command
  const child = spawn('nsenter', [...enter, ...argv], { env, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  child.stdin?.on('error', () => {})
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes')
  const ended = endOf(child)
  const stderr = tty ? undefined : child.stderr
  return { stdin: child.stdin ?? undefined, stdout: child.stdout, stderr, ended, resize: () => {} }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

function found(program: string): boolean {
  return program.startsWith('/') || ['sh', 'true', 'echo', 'cat', 'sleep', 'tar', 'ls', 'id', 'dd'].includes(program)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

async function endOf(child: ChildProcess): Promise<ProcessEnd> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) }
}
