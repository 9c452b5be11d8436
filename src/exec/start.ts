import { ApiError, KuberunError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { isLong, uploadArguments } from './arguments.ts'
import type { TerminalSize } from './channels.ts'
import { type CommandEnd, readCommand } from './command.ts'
import { type Exec, type OutputFrame, openExec, type Target } from './exec.ts'
import type { ExecInput } from './input.ts'
import { type InputMode, wrapperCommand } from './wrapper.ts'

export interface CommandRequest {
  target: Target
  shell: Shell
  /** The random id of this run's marks. */
  mark: string
  command: readonly string[]
  stdin: boolean
  tty: boolean
  /** The terminal's size, where there is one. */
  size?: TerminalSize
  signal: AbortSignal
}

/** A command that has started. */
export interface RunningCommand {
  exec: Exec
  /** Its stdin; absent where it reads end of file. */
  input?: ExecInput
  /** What it prints from here on. */
  output: AsyncGenerator<'started' | OutputFrame, CommandEnd, void>
}

/**
 * Starts a command under the wrapper, once.
 *
 * @returns undefined when the container is not there yet: try again
 * @throws {ApiError} the refusal of the API server, the kubelet or the runtime
 */
export async function tryStart(client: KubeClient, request: CommandRequest): Promise<RunningCommand | undefined> {
  try {
    return await start(client, request)
  } catch (error) {
    if (mayComeYet(error)) return undefined
    throw error
  }
}

async function start(client: KubeClient, request: CommandRequest): Promise<RunningCommand> {
  const { target, shell, mark, command, stdin, tty, signal } = request
  const long = isLong(command)
  if (long) await uploadArguments(client, { target, shell, argv: command, signal })
  const mode: InputMode = stdin ? (tty ? 'open' : 'ask') : 'none'
  const exec = await openExec(client, {
    target,
    command: wrapperCommand(shell, { mark, input: mode, command: long ? [] : command }),
    stdin,
    tty,
    signal,
  })
  if (request.size !== undefined) exec.resize(request.size)
  const framed = exec.protocol === 'v4' && !tty
  if (mode === 'ask') await exec.input({ framed: false }).write(Buffer.from(framed ? 'framed\n' : 'open\n'))
  const output = await started(readCommand(exec, { mark, tty }))
  return { exec, output, ...(stdin && { input: exec.input({ framed }) }) }
}

/** Waits for the start. stdout and stderr come on ways of their own: what the command wrote to one may be here before. */
async function started(output: RunningCommand['output']): Promise<RunningCommand['output']> {
  const early: OutputFrame[] = []
  for (;;) {
    const next = await output.next()
    if (next.done) throw notStarted(next.value, early)
    if (next.value === 'started') return behind(early, output)
    early.push(next.value)
  }
}

async function* behind(early: OutputFrame[], output: RunningCommand['output']): RunningCommand['output'] {
  yield* early
  return yield* output
}

function notStarted(end: CommandEnd, said: OutputFrame[]): Error {
  if (end.kind === 'cut' && end.status.kind === 'failed') return end.status.error
  const code = end.kind === 'cut' && end.status.kind === 'exited' ? end.status.code : '?'
  const words = [`the shell in the container ended with exit code ${code}`, ...said.map(({ data }) => data.toString())]
  return new ApiError(`the command was not started: ${words.join(': ').trim()}`, {
    status: 500,
    reason: '',
    fromKubernetes: true,
  })
}

/**
 * What the kubelet and the runtime say of a container that is about to be there, and what the API server says when it
 * cannot reach the kubelet just now. Nothing of the command can have run then.
 */
const notYet =
  /container not found|pod does not exist|does not have a host assigned|is not running|not created or running|error dialing backend|too many in-flight|container is in CONTAINER_(CREATED|EXITED|UNKNOWN) state|cannot exec in a (stopped|deleted)|no running task|task \S+ not found|container \S+ not found|ttrpc: closed/i

/** Whether an exec that failed so may succeed the next time, as the container is about to be there. */
export function mayComeYet(error: unknown): boolean {
  return isNotYet(error) || isBroken(error)
}

function isNotYet(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  const { status, message } = error
  return status === 429 || status === 502 || status === 503 || status === 504 || notYet.test(message)
}

/** A handshake that broke: should the command have started all the same, the wrapper refuses the second. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof KuberunError) || error.code !== 'connection') return false
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}
