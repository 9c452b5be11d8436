import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { KuberunError, UsageError } from '../src/errors.ts'
import type { EndSignal, RunResult, RunSignal } from '../src/run/io.ts'
import { readFaults } from '../src/sandbox/kubelet/faults.ts'
import type { Sandbox } from '../src/sandbox/sandbox.ts'
import { print } from './print.ts'
import { catchSignals } from './signals.ts'
import { version } from './version.ts'

const help = `A Kubernetes cluster in one process, to try and test with: its containers are processes of this machine.

Usage:
  kuberun-sandbox [flags] [-- COMMAND [ARGS…]]

With a command: starts the cluster, runs the command with KUBECONFIG set, stops the cluster, and exits with the
command's exit code. Without: prints the line that sets KUBECONFIG, and stays until a signal.

Flags:
  --faults=LIST  What is to go wrong with every pod, with commas between.
  --v4           Offer only the older stream protocol, v4; kubectl's exec needs v5.
  -h, --help     Print this help.
  --version      Print the version.

Faults, for one pod in its annotation sandbox.kuberun/fault:
  slow-start=2s     Its containers start so much later.
  pull-error        Its image cannot be pulled.
  unschedulable     No node takes it.
  evicted=1s        It is evicted so long after its start.
  out-of-memory=1s  Its containers are killed for want of memory so long after their start.
  cut-after=1000    A stream breaks after so many bytes of output.
  api-restart=1s    So long after its start the API server goes away for a second.

Namespaces: default; team; restricted, with the Pod Security Standard of that name; quota, for two pods.
Contexts: sandbox, who may do all; team, who may run pods in the namespace team.

Examples:
  kuberun-sandbox -- kuberun echo hi
  kuberun-sandbox -- sh -c 'seq 1 20 | xargs -P20 -I{} kuberun echo {}'
  kuberun-sandbox --faults=slow-start=5s,cut-after=1000 -- ./my-script
`

/**
 * `kuberun-sandbox`: a cluster for a command, or until a signal.
 * @param ignored the signals that are to have no effect
 */
export async function runSandbox(words: readonly string[], ignored: ReadonlySet<RunSignal>): Promise<RunResult> {
  const { flags, command } = read(words)
  if (flags.help) return print(help)
  if (flags.version) return print(`kuberun-sandbox ${version}\n`)
  const faults = checkFaults(flags.faults ?? '')
  const signals = catchSignals(process, ignored)
  const { startSandbox } = await import('../src/sandbox/sandbox.ts')
  const options = { protocol: flags.v4 ? 'v4' : 'v5', faults, onError: tell } as const
  await using sandbox = await startSandbox(options).catch(explain)
  // Awaited, as the cluster ends with this function.
  return await (command.length > 0 ? runCommand(command, sandbox, signals) : stay(sandbox, signals))
}

type Signals = ReturnType<typeof catchSignals>

const ends: readonly string[] = ['INT', 'TERM', 'HUP', 'QUIT'] satisfies EndSignal[]

function read(words: readonly string[]) {
  const separator = words.indexOf('--')
  const args = separator < 0 ? [...words] : words.slice(0, separator)
  const hint = 'see "kuberun-sandbox --help"'
  try {
    const options = {
      faults: { type: 'string' },
      v4: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const
    const { values: flags, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (positionals.length > 0)
      throw new UsageError(`unexpected "${positionals[0]}"`, { hint: 'put "--" before the command' })
    const command = separator < 0 ? [] : words.slice(separator + 1)
    if (separator >= 0 && command.length === 0) throw new UsageError('no command given', { hint })
    return { flags, command }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError((error as Error).message.split('. ')[0] ?? '', { hint, cause: error })
  }
}

function checkFaults(faults: string): string {
  try {
    readFaults(faults)
    return faults
  } catch (cause) {
    throw new UsageError((cause as Error).message, { hint: 'see "kuberun-sandbox --help"', cause })
  }
}

async function runCommand(
  [program = '', ...words]: string[],
  { kubeconfig }: Sandbox,
  signals: Signals,
): Promise<RunResult> {
  const child = spawn(program, words, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: kubeconfig } })
  signals.on((signal) => {
    // Ctrl-C at a terminal goes to the command without us.
    if (process.stdin.isTTY && ['INT', 'QUIT', 'WINCH', 'CONT'].includes(signal)) return
    child.kill(`SIG${signal}`)
  })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return signal === null ? { exitCode: code ?? 0 } : endedBy(signal)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new UsageError(`no program "${program}" on the PATH`, { cause })
    throw new UsageError(`cannot start "${program}": ${message}`, { cause })
  }
}

async function stay({ kubeconfig }: Sandbox, signals: Signals): Promise<RunResult> {
  await print(`export KUBECONFIG=${kubeconfig}\n`)
  // Keeps the process here: signals alone do not.
  const alive = setInterval(() => {}, 2 ** 30)
  const signal = await new Promise<string>((resolve) => {
    signals.on((name) => void (ends.includes(name) && resolve(name)))
  })
  clearInterval(alive)
  return endedBy(`SIG${signal}` as NodeJS.Signals)
}

function endedBy(signal: NodeJS.Signals): RunResult {
  const name = signal.slice('SIG'.length)
  const exitCode = 128 + constants.signals[signal]
  return ends.includes(name) ? { exitCode, signal: name as EndSignal } : { exitCode }
}

function explain(cause: unknown): never {
  throw new KuberunError('pod', `the sandbox cannot start: ${(cause as Error).message}`, { cause })
}

function tell(error: unknown): void {
  process.stderr.write(`kuberun-sandbox: ${(error as Error).message}\n`)
}
