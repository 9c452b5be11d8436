import { spawn } from 'node:child_process'
import { isAbsolute, join, sep } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { KuberunError } from '../errors.ts'
import type { Identity } from './credentials.ts'
import type { ExecCredentialsOptions } from './exec-credentials.ts'
import { execInfo } from './exec-info.ts'
import { parseExecCredential } from './exec-result.ts'

/** What a credential plugin said. */
export interface PluginCredential {
  identity: Identity
  /** Milliseconds since the epoch; infinite where the plugin told no end. */
  expires: number
}

export interface PluginRun extends ExecCredentialsOptions {
  signal: AbortSignal
}

/**
 * Runs a kubeconfig's credential plugin once.
 * See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * @throws {KuberunError} `credentials`, naming the plugin and how to install it
 */
export async function runPlugin(run: PluginRun): Promise<PluginCredential> {
  const { plugin } = run
  const { interactive, json } = execInfo(run)
  const { output, exit } = await start(run, interactive, json)
  if (exit !== 0) {
    const message = `the credential plugin "${plugin.command}" failed: exit ${exit}`
    throw new KuberunError('credentials', message, { hint: 'see what it printed above; you may have to log in again' })
  }
  return parseExecCredential(output, plugin)
}

async function start(
  run: PluginRun,
  interactive: boolean,
  info: string,
): Promise<{ output: string; exit: number | string }> {
  const { plugin, rim, signal } = run
  const added = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]))
  const child = spawn(commandPath(run), plugin.args ?? [], {
    env: { ...rim.env, ...added, KUBERNETES_EXEC_INFO: info },
    // What it has to say, such as the address to log in at, goes to the user at once.
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    signal,
  })
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killedBy) => resolve(code ?? killedBy ?? ''))
  })
  try {
    const [bytes, exit] = await Promise.all([buffer(child.stdout), ended])
    return { output: bytes.toString(), exit }
  } catch (error) {
    throw notStarted(run, error as NodeJS.ErrnoException)
  }
}

// As for client-go: a bare name is looked up in PATH, one with a separator starts from the kubeconfig's folder.
function commandPath({ plugin, config }: PluginRun): string {
  const { command } = plugin
  const hasSeparator = command.includes(sep) || command.includes('/')
  return hasSeparator && !isAbsolute(command) ? join(config.userFolder, command) : command
}

function notStarted({ plugin, config }: PluginRun, error: NodeJS.ErrnoException): KuberunError {
  const [why, advice] = reasons[error.code ?? ''] ?? [error.message, 'run it by hand to see what it needs']
  const message = `cannot run the credential plugin "${plugin.command}" of the user "${config.userName}": ${why}`
  return new KuberunError('credentials', message, { cause: error, hint: plugin.installHint ?? advice })
}

/** Why a program is not started, and what to do. A name in no folder of PATH is EACCES if one cannot be searched. */
const reasons: Readonly<Record<string, [why: string, advice: string]>> = {
  ENOENT: ['it is not installed, or not in PATH', 'install it, or log in with another user'],
  EACCES: [
    'it may not be executed, or a folder in PATH may not be searched (EACCES)',
    'make it executable with chmod +x, or install it where you may run it',
  ],
}
