import type { RunOptions } from '../options.ts'
import type { ManifestInput } from '../pod/manifest.ts'
import { newRun } from '../pod/name.ts'
import { commandArgv } from './words.ts'

/** What a run will do, before the cluster is touched. */
export interface RunPlan {
  argv: readonly string[]
  manifest: ManifestInput
}

export function planRun(options: RunOptions, { namespace, tty }: { namespace: string; tty: boolean }): RunPlan {
  const argv = commandArgv(options.command, options.shell)
  return {
    argv,
    manifest: {
      run: newRun(options.program),
      options: tty ? withTerminalType(options.pod) : options.pod,
      namespace,
      argv,
      startTimeout: options.podRunningTimeout,
      rm: options.rm,
      ...(options.sync !== undefined && { remoteDir: options.sync.remoteDir }),
    },
  }
}

/** Programs ask TERM what our terminal can do. */
function withTerminalType(pod: RunOptions['pod']): RunOptions['pod'] {
  const { TERM } = process.env
  if (!TERM || pod.env.some(({ name }) => name === 'TERM')) return pod
  return { ...pod, env: [...pod.env, { name: 'TERM', value: TERM }] }
}
