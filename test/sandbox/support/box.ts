import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { LocalRuntime } from '../../../src/sandbox/runtime/local.ts'
import { type IsolationName, openRuntime } from '../../../src/sandbox/runtime/open.ts'
import type { Container, ContainerSpec, ExecOptions, ProcessEnd } from '../../../src/sandbox/runtime.ts'
import { hasNamespaces } from '../../support/container.ts'

const isRoot = process.getuid?.() === 0

/** The isolations, and why one cannot be tested here. As root, another process tests the ordinary user's. */
export function isolations(names: readonly IsolationName[]): { isolation: IsolationName; skip: string | false }[] {
  return names.map((isolation) => ({ isolation, skip: lackOf(isolation) }))
}

function lackOf(isolation: IsolationName): string | false {
  if ((isolation === 'user') === isRoot) return reason(isolation)
  return isolation !== 'chroot' && !hasNamespaces && 'namespaces are forbidden here'
}

function reason(isolation: IsolationName): string {
  return isolation === 'user' ? 'tested as an ordinary user, in runtime-ends.test.ts' : 'only root can do this'
}

/** A runtime, and what its containers have printed. */
export class Box implements AsyncDisposable {
  readonly runtime: LocalRuntime
  stdout = ''
  stderr = ''

  constructor(runtime: LocalRuntime) {
    this.runtime = runtime
  }

  start(command: readonly string[], more: Partial<ContainerSpec> = {}): Promise<Container> {
    return this.runtime.start({
      id: 'id-a',
      hostname: 'pod-a',
      image: 'debian',
      command,
      env: {},
      readOnlyRoot: false,
      mounts: [],
      onOutput: (stream, data) => (this[stream] += data.toString()),
      ...more,
    })
  }

  /** Runs a command in a container to its end. */
  async exec(
    container: Container,
    command: readonly string[],
    { stdin, ...options }: Partial<Omit<ExecOptions, 'stdin'>> & { stdin?: Buffer | string } = {},
  ): Promise<ProcessEnd & { stdout: string; stderr: string; bytes: Buffer }> {
    const exec = await container.exec({ command, tty: false, ...options, stdin: stdin !== undefined })
    const chunks: Buffer[] = []
    let stderr = ''
    exec.stdout.on('data', (data: Buffer) => chunks.push(data))
    exec.stderr?.on('data', (data: Buffer) => (stderr += data.toString()))
    if (stdin !== undefined) exec.stdin?.end(stdin)
    const end = await exec.ended
    const bytes = Buffer.concat(chunks)
    return { ...end, stdout: bytes.toString(), stderr, bytes }
  }

  /** Waits until the containers have printed this, and nothing else, to stdout. */
  async printed(text: string): Promise<void> {
    await until(async () => this.stdout === text)
  }

  /** Waits until so many processes in the container have this name. */
  async count(container: Container, name: string, count: number): Promise<void> {
    const words = ['sh', '-c', `cat /proc/[0-9]*/comm 2>/dev/null | grep -cx ${name}`]
    await until(async () => Number((await this.exec(container, words)).stdout) === count)
  }

  /** The ids of processes of this machine that have their root in the runtime's folder, or whose words name it. */
  async processes(): Promise<string[]> {
    return processesOf(this.runtime.folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime[Symbol.asyncDispose]()
  }
}

export async function openBox(isolation: IsolationName, images: { name: RegExp; root: string }[] = []): Promise<Box> {
  return new Box(await openRuntime({ isolation, images }))
}

/** The ids of processes that have their root in a folder, or whose words name it. */
export async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  const found = pids.map(async (pid) => {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    const root = await readlink(`/proc/${pid}/root`).catch(() => '')
    return words.includes(folder) || root.startsWith(folder) ? [pid] : []
  })
  return (await Promise.all(found)).flat()
}

/** Waits for something that no event tells; the test's own time-out ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(10)
}
