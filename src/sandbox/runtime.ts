import type { Readable, Writable } from 'node:stream'

/** A folder here that shows inside a container. */
export interface Mount {
  /** An absolute path on this machine. */
  from: string
  /** An absolute path in the container. */
  at: string
  readOnly: boolean
}

/** What a container runs, and where: the pod's part of it is resolved. */
export interface ContainerSpec {
  /** Unique among all containers; a folder of that name may be made for it. */
  id: string
  hostname: string
  /** The image's name as the pod gives it: {@link Runtime} knows what root it stands for. */
  image: string
  /** Absent or empty: a shell that ends at once, as an image without a program would. */
  command: readonly string[]
  env: Readonly<Record<string, string>>
  workingDir?: string
  uid?: number
  gid?: number
  readOnlyRoot: boolean
  mounts: readonly Mount[]
  /** Its process 1 gets an input, which {@link Container.stdin} writes to; without, it reads end of file. */
  stdin?: boolean
  /** Its process 1 has a terminal: all that it writes comes as stdout. */
  tty?: boolean
  /** What the container's process writes is appended to these, as the kubelet's log does. */
  onOutput(stream: 'stdout' | 'stderr', data: Buffer): void
}

export interface ProcessEnd {
  /** 0-255; 128+n for signal n. */
  code: number
}

/** A process beside the container's own, its streams open. */
export interface ExecProcess {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  /** Absent with a tty. */
  readonly stderr: Readable | undefined
  readonly ended: Promise<ProcessEnd>
  /** Only with a tty. */
  resize(size: { columns: number; rows: number }): void
}

export interface ExecOptions {
  command: readonly string[]
  stdin: boolean
  tty: boolean
}

/** A started container. */
export interface Container {
  /** What process 1 reads, where the spec says so: for an attach. */
  readonly stdin?: Writable | undefined
  /** Sets the size of process 1's terminal, where the spec says that it has one. */
  resize?(size: { columns: number; rows: number }): void
  readonly ended: Promise<ProcessEnd>
  /** @throws {ExecError} the program cannot be started: with the words that a real runtime has for it */
  exec(options: ExecOptions): Promise<ExecProcess>
  /** To process 1 of the container. KILL ends all its processes. Nothing where it has ended. */
  signal(name: 'TERM' | 'KILL'): void
  /** Removes what it had on disk. The container must have ended. */
  remove(): Promise<void>
}

/** Makes containers of local processes. */
export interface Runtime extends AsyncDisposable {
  /** @throws {StartError} its program cannot be started, with the words that a real runtime has for it */
  start(spec: ContainerSpec): Promise<Container>
}

/** A program that cannot be started in a container that is there. */
export class ExecError extends Error {
  override readonly name = 'ExecError'
}

/** A container whose own program cannot be started: `StartError` in the pod's status, exit code 128. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
