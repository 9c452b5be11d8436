import type { ContainerSpec } from '../runtime.ts'
import type { User } from './user.ts'

/** What it takes to start a container in some isolation. */
export interface Launch {
  spec: ContainerSpec
  user: User
  /** Its own folder, empty. */
  folder: string
  command: readonly string[]
  env: Readonly<Record<string, string>>
  /** Descriptors for process 1; without a stdin it reads end of file. */
  stdin?: number
  stdout: number
  stderr: number
}

/** Process 1 of a container. */
export interface Process1 {
  /** As this machine counts. */
  pid: number
  exitCode: Promise<number>
}

/** A container that is set up: how its processes are started, found and ended. */
export interface Place {
  /** The container's root as we see it. Links in it are not to be followed from here. */
  view: string
  /** The working directory. */
  cwd: string
  /** What comes before a program of this machine that is to see the container's processes and terminals. */
  within: readonly string[]
  /** The same, where the program is to lead a session. */
  leading: readonly string[]
  /** What comes between that and a program of the container: from this machine's root to the container's. */
  toRoot: readonly string[]
  /** The words that are exec'd for these. */
  words(command: readonly string[]): readonly string[]
  /** Runs the container's command. */
  go(): Process1
  /** When processes can be started beside it. */
  ready(): Promise<void>
  /** Ends it before it runs the command. */
  abandon(): Promise<void>
  /** Ends what the kernel does not end with process 1: what is in these sessions, and what it finds. */
  clean(sessions: ReadonlySet<number>): Promise<void>
}

/** One way to keep containers apart. */
export type Isolation = (launch: Launch) => Promise<Place>

/** The environment of our own programs: nothing of the user's. */
export function toolEnvironment(): Record<string, string> {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C', SHELL: '/bin/sh' }
}

/** Words of env(1) that give a program exactly this environment. */
export function environmentWords(env: Readonly<Record<string, string>>): string[] {
  return ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
}
