import { type Exec, openExec, type Target } from '../../exec/exec.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Shell } from '../../pod/shell.ts'
import { encodePath } from '../path.ts'

export interface PodScript {
  target: Target
  shell: Shell
  /** What the process is called in the pod. */
  name: string
  /** Commands that come before the script, on the command line. */
  before?: string
  /** In the encoding of paths. */
  script: string
  signal: AbortSignal
}

/** Runs a shell script in the pod. It goes by stdin, as a query could be too long for it; nothing more is on stdin then. */
export async function openScript(client: KubeClient, options: PodScript): Promise<Exec> {
  const { target, shell, name, before = '', signal } = options
  const command = [...shell.command, '-c', `${shell.setup}${before}${reader}`, name]
  const exec = await openExec(client, { target, command, stdin: true, tty: false, signal })
  const script = encodePath(options.script)
  try {
    await exec.input({ framed: false }).write(Buffer.concat([Buffer.from(`${script.length}\n`), script]))
    return exec
  } catch (error) {
    exec.close()
    throw error
  }
}

const reader = 'read -r n; s=$(dd bs="$n" count=1 iflag=fullblock 2>/dev/null; echo .); eval "${s%.}"'
