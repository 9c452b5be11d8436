import type { Writable } from 'node:stream'
import {
  type Container,
  type ContainerSpec,
  ExecError,
  type ExecOptions,
  type ExecProcess,
  type ProcessEnd,
} from '../runtime.ts'
import { execPlain } from './exec.ts'
import { programFault } from './lookup.ts'
import type { Pipe, Pipes } from './pipes.ts'
import type { Place, Process1 } from './place.ts'
import { kill } from './processes.ts'
import { removeFolder } from './state.ts'
import { execAtTerminal } from './terminal.ts'
import { standardPath } from './tools.ts'

/** What a started container consists of. */
export interface Parts {
  spec: ContainerSpec
  env: Readonly<Record<string, string>>
  place: Place
  first: Process1
  folder: string
  pipes: Pipes
  stdin: Pipe | undefined
  /** All that process 1 wrote was told. */
  logged: Promise<unknown>
}

/** A container of local processes. */
export class LocalContainer implements Container {
  readonly ended: Promise<ProcessEnd>
  readonly #parts: Parts
  readonly #sessions = new Set<number>()
  #hasEnded = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.ended = this.#end()
  }

  get stdin(): Writable | undefined {
    return this.#parts.stdin?.ours
  }

  async exec(options: ExecOptions): Promise<ExecProcess> {
    const { place, env, pipes, spec } = this.#parts
    const gone = `failed to load task: no running task found: task ${spec.id} not found`
    if (this.#hasEnded) throw new ExecError(gone)
    await place.ready()
    const fault = await faultIn(place, env, options.command)
    // Once process 1 has ended, nothing can be found in its root.
    if (this.#hasEnded) throw new ExecError(gone)
    if (fault !== undefined) throw new ExecError(`OCI runtime exec failed: exec failed: ${fault}`)
    const start = options.tty ? execAtTerminal : execPlain
    const { pid, ...started } = await start(place, { ...options, env, pipes })
    if (pid !== undefined) this.#sessions.add(pid)
    return started
  }

  signal(name: 'TERM' | 'KILL'): void {
    if (!this.#hasEnded) kill(this.#parts.first.pid, `SIG${name}`)
  }

  async remove(): Promise<void> {
    await this.ended
    await removeFolder(this.#parts.folder)
  }

  async #end(): Promise<ProcessEnd> {
    const { place, first, stdin, logged } = this.#parts
    const code = await first.exitCode
    this.#hasEnded = true
    await stdin?.close()
    await place.clean(this.#sessions)
    await logged
    return { code }
  }
}

/** Why a command cannot be started there, with runc's words. */
export async function faultIn(
  place: Place,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<string | undefined> {
  const [program = ''] = command
  const path = env['PATH'] ?? standardPath
  const fault = await programFault(place.view, { program, path, cwd: place.cwd })
  const quoted = `exec: ${JSON.stringify(program)}: ${fault}`
  return fault === undefined ? undefined : `unable to start container process: ${quoted}: unknown`
}
