import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { syncPath } from '../../src/pod/workspace.ts'
import { searchPath } from './environment.ts'

/** A process in a container, as the kubelet's exec gives it: the leader of a session of its own. */
export interface ContainerProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Its exit code, 128+n for a signal; its streams may have more. */
  readonly exitCode: Promise<number>
}

/** A stand-in for a container: local processes with a /dev/shm of their own. */
export interface Container extends AsyncDisposable {
  /** The exit code of process 1. */
  readonly exitCode: Promise<number>
  exec(argv: readonly string[], options?: { stdin?: boolean }): ContainerProcess
  /** The volume of a sync, which is a folder here. */
  readonly volume: string
  /** Signals process 1. */
  kill(signal: NodeJS.Signals): void
}

/** Whether this machine lets us make namespaces: only there is the holder really process 1. */
export const hasNamespaces = canMakeNamespaces()

/** Starts a container with this command as process 1. */
export async function startContainer(argv: readonly string[]): Promise<Container> {
  return hasNamespaces ? startNamespaced(argv) : startRewritten(argv)
}

// A bash whose stdin is a socket, as our pipes are, reads the user's .bashrc: there must be none.
const env = { PATH: searchPath, HOME: '/' }

function canMakeNamespaces(): boolean {
  try {
    const script = 'mount -t tmpfs none /dev/shm && [ $$ = 1 ]'
    execFileSync('unshare', ['-rmpf', '--mount-proc', 'sh', '-c', script], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function startNamespaced(argv: readonly string[]): Promise<Container> {
  const script = 'mount -t tmpfs none /dev/shm && echo up && exec "$@" >/dev/null'
  const child = spawn('unshare', ['-rmpf', '--mount-proc', '--kill-child', 'sh', '-c', script, 'container', ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    env,
  })
  const exitCode = codeOf(child)
  await once(child.stdout, 'data')
  const first = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'))
  const volume = new Volume()
  const over = exitCode.then(() => volume[Symbol.dispose]())
  const enter = ['-t', String(first), '-U', '-m', '-p', '--preserve-credentials', 'setsid', '--']
  return {
    exitCode,
    volume: volume.path,
    exec: (words, options) => spawnProcess('nsenter', [...enter, ...words.map(volume.rewrite)], options),
    kill: (signal) => {
      try {
        process.kill(first, signal)
      } catch {
        // It has ended.
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await over
    },
  }
}

/** Without namespaces: the scripts' fixed paths, and "process 1", are replaced in what is run. */
async function startRewritten(argv: readonly string[]): Promise<Container> {
  const folder = mkdtempSync(join(tmpdir(), 'kuberun-container-'))
  const volume = new Volume()
  const children = new Set<ChildProcess>()
  const rewrite = (word: string): string =>
    volume
      .rewrite(word)
      .replaceAll('/dev/shm/kuberun.', `${folder}/kuberun.`)
      .replaceAll('USR1 1', `USR1 ${holder?.pid}`)
  let holder: ChildProcess | undefined
  const [program = '', ...words] = argv.map(rewrite)
  holder = spawn(program, words, { stdio: 'ignore', detached: true, env })
  const exitCode = codeOf(holder)
  // What the kernel does when process 1 ends.
  const over = exitCode.then(() => {
    for (const child of children) if (child.pid !== undefined) killGroup(child.pid)
    rmSync(folder, { recursive: true, force: true })
    volume[Symbol.dispose]()
  })
  return {
    exitCode,
    volume: volume.path,
    exec: (given, options) => {
      const [name = '', ...rest] = given.map(rewrite)
      return spawnProcess(name, rest, options, (child) => children.add(child))
    },
    kill: (signal) => holder.kill(signal),
    [Symbol.asyncDispose]: async () => {
      holder.kill('SIGKILL')
      await over
    },
  }
}

/** What is mounted for a sync. Not even with namespaces is there a place to mount it: its path is replaced. */
class Volume implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'kuberun-volume-'))
  readonly rewrite = (word: string): string => word.replaceAll(syncPath, this.path)

  constructor() {
    mkdirSync(join(this.path, 'root'))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

function spawnProcess(
  program: string,
  words: readonly string[],
  { stdin = true }: { stdin?: boolean } = {},
  onSpawn: (child: ChildProcess) => void = () => {},
): ContainerProcess {
  const options: SpawnOptions = { stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'], detached: true, env }
  const child = spawn(program, words, options)
  onSpawn(child)
  const { stdout, stderr } = child as ChildProcess & { stdout: Readable; stderr: Readable }
  const input = child.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() })
  input.on('error', () => {})
  return { stdin: input, stdout, stderr, exitCode: codeOf(child) }
}

async function codeOf(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}
