import { raced } from '../kube/abort.ts'
import { openKubeClient } from '../kube/client.ts'
import { doubtsAbout } from '../options/doubts.ts'
import { type RunOptions, validate } from '../options.ts'
import { EphemeralPod } from '../pod/ephemeral-pod.ts'
import { Interrupts } from './interrupts.ts'
import type { RunIO, RunResult } from './io.ts'
import { planRun } from './plan.ts'
import { runInPod } from './session.ts'
import { connectionOf } from './streams.ts'
import { Sweeping } from './sweeping.ts'
import type { Syncing } from './syncing.ts'
import { TerminalReporter } from './terminal-reporter.ts'
import { notFoundHint } from './words.ts'

/**
 * Runs one command in an ephemeral pod, connected to the given streams, and leaves nothing behind.
 *
 * @returns the command's exit code, or the signal that ended the run
 * @throws {KuberunError} when we failed: the options, the cluster, the pod, the stream
 */
export async function kuberun(options: RunOptions, io: RunIO): Promise<RunResult> {
  validate(options)
  using reporter = new TerminalReporter(io.stderr, options)
  using interrupts = new Interrupts(io, options.gracePeriod)
  try {
    return await run(options, { io, reporter, interrupts })
  } catch (error) {
    io.signal?.throwIfAborted()
    const { result } = interrupts
    if (result === undefined) throw error
    const unread = io.stdout.writableLength > 0 || io.stderr.writableLength > 0
    return { ...result, ...(unread && { unread }) }
  }
}

interface Context {
  io: RunIO
  reporter: TerminalReporter
  interrupts: Interrupts
}

async function run(options: RunOptions, context: Context): Promise<RunResult> {
  const { reporter, interrupts, io } = context
  const { signal } = interrupts
  for (const doubt of doubtsAbout(options)) reporter.warning(doubt)
  const connection = connectionOf(options, io, reporter)
  const client = await raced(openKubeClient(options.cluster, { onWarning: (text) => reporter.warning(text) }), signal)
  try {
    const plan = planRun(options, { namespace: client.namespace, tty: connection.tty })
    const timeout = options.podRunningTimeout
    // Made before the pod, to be waited for after it: the pod's deletion is not held up.
    await using sweeping = new Sweeping()
    const wanted = options.sync?.back === undefined ? signal : interrupts.gaveUp
    await using syncing = await beginSync(options, { client, io, reporter, signal: wanted })
    await using pod = await EphemeralPod.create(client, plan.manifest, { timeout, reporter, signal })
    reporter.phase('pod made')
    sweeping.begin(client, plan.manifest)
    const outcome = await runInPod({ ...context, ...plan, client, pod, options, connection, syncing })
    if (outcome.note !== undefined) reporter.warning(outcome.note)
    const hint = outcome.exitCode === 127 && notFoundHint(options.command, options.shell, options.pod.image)
    if (hint) reporter.warning(hint)
    return outcome
  } finally {
    client.close()
  }
}

/** Loaded only where there is something to sync. */
async function beginSync(
  { sync, ...options }: RunOptions,
  around: Parameters<typeof Syncing.begin>[1],
): Promise<Syncing | undefined> {
  if (sync === undefined) return undefined
  const { Syncing: Sync } = await import('./syncing.ts')
  return Sync.begin({ ...options, sync }, around)
}
