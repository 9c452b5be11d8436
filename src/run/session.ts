import { nanoid } from 'nanoid'
import type { KuberunError } from '../errors.ts'
import type { CommandEnd } from '../exec/command.ts'
import { Control } from '../exec/control.ts'
import type { RunningCommand } from '../exec/start.ts'
import { terminalSize } from '../exec/terminal.ts'
import type { KubeClient } from '../kube/client.ts'
import type { RunOptions } from '../options.ts'
import { isOver, memoryLimit } from '../pod/ending.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import { attend } from './attend.ts'
import { findEnding } from './find-ending.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Interrupts } from './interrupts.ts'
import type { RunIO } from './io.ts'
import { lostForGood } from './lost-for-good.ts'
import { causeOfLoss } from './lost-upload.ts'
import { outOrOver } from './out-or-over.ts'
import { afterReturn, type Outcome, outcomeOf } from './outcome.ts'
import { OutputPump } from './pump.ts'
import { type StartOptions, startCommand } from './start.ts'
import type { Connection } from './streams.ts'
import type { Return, Syncing } from './syncing.ts'
import type { TerminalReporter } from './terminal-reporter.ts'

export interface SessionInput {
  client: KubeClient
  pod: EphemeralPod
  options: RunOptions
  argv: readonly string[]
  connection: Connection
  io: RunIO
  reporter: TerminalReporter
  interrupts: Interrupts
  /** Of a folder that the command is to find there. */
  syncing: Syncing | undefined
}

/** Runs the command in a pod that was made for it, to its end. */
export async function runInPod(session: SessionInput): Promise<Outcome> {
  const { client, pod, options, argv, connection, reporter, interrupts, syncing } = session
  const { signal } = interrupts
  const start = { timeout: options.podRunningTimeout, tools: options.pod.tools === 'auto', reporter, signal }
  using heartbeat = new Heartbeat(options.pod.orphanTimeout)
  if (syncing !== undefined) await syncUp(session, syncing, start)
  const command = await startCommand(
    client,
    pod,
    { mark: nanoid(), command: argv, ...connection, ...(connection.tty && { size: terminalSize(session.io) }) },
    start,
  )
  reporter.phase('command started')
  reporter.running()
  if (pod.restriction !== undefined) reporter.warning(pod.restriction)

  const over = new AbortController()
  const patience = patienceOf(options)
  const control = new Control(client, { target: pod.target, shell: pod.shell, patience, signal: over.signal })
  try {
    return await attended(session, { command, control, heartbeat })
  } finally {
    if (pod.keep && !isGone(pod)) pod.lasts = await control.keep()
    over.abort()
    // A command that still prints should not do so while its pod is being ended.
    command.exec.close()
  }
}

/** Whether nobody is left there to be told anything. */
function isGone({ observer }: EphemeralPod): boolean {
  return observer.deleted || isOver(observer.pod)
}

/** Brings the folder there. It may take longer than the container waits for a sign of life. */
async function syncUp(
  { client, pod, options, reporter, interrupts }: SessionInput,
  syncing: Syncing,
  start: StartOptions,
) {
  await syncing.connect(pod, start)
  reporter.phase('pod started')
  const over = new AbortController()
  using heartbeat = new Heartbeat(options.pod.orphanTimeout)
  const signal = AbortSignal.any([over.signal, interrupts.signal])
  const control = new Control(client, { target: pod.target, shell: pod.shell, patience: patienceOf(options), signal })
  const lost = Promise.withResolvers<never>()
  heartbeat.beat(control, () => lost.reject(lostForGood(control.lastError, pod.target.namespace)))
  try {
    await Promise.race([syncing.initial(), lost.promise])
  } catch (error) {
    throw await causeOfLoss(error, pod)
  } finally {
    over.abort()
  }
}

/** Several tries must be over before the container gives us up. */
function patienceOf({ pod }: RunOptions): number {
  return Math.min(10_000, pod.orphanTimeout / 4)
}

interface Running {
  command: RunningCommand
  control: Control
  heartbeat: Heartbeat
}

async function attended(session: SessionInput, running: Running): Promise<Outcome> {
  const { pod, options, io, reporter, interrupts } = session
  using stdout = new OutputPump(io.stdout, 'stdout')
  using stderr = new OutputPump(io.stderr, 'stderr')
  session.syncing?.keepUp(stderr)
  const end = await commandEnd(session, { ...running, stdout, stderr }).catch(async (error: unknown) => {
    // Such as a reader that has closed our output: what is there by now is of use all the same.
    await bringBack(session)
    throw error
  })
  interrupts.ended()
  reporter.phase('command ended')
  const written = outOrOver(Promise.all([stdout.flush(), stderr.flush()]), interrupts.signal)
  // Waited for below: until then a failure must not pass for one that nobody handles.
  written.catch(() => {})
  const returned = await bringBack(session, written)
  const { first: interruptedBy, typed, timedOut } = interrupts
  let acknowledged: Promise<void> | undefined
  try {
    // Only when the wrapper has ended does a pod that is being ended tell why.
    if (isEnding(end)) acknowledged = running.control.acknowledge()
    const ending = interruptedBy === undefined && !timedOut ? await findEnding(pod.observer, end) : undefined
    const limit = memoryLimit(pod.observer.pod)
    const facts = { pod: pod.target.pod, end, ending, memoryLimit: limit, interruptedBy, typed, timedOut }
    const outcome = afterReturn(outcomeOf(facts), returned, interrupts.gaveUp.aborted ? interruptedBy : undefined)
    pod.keep = options.rm === 'never' || (options.rm === 'on-success' && outcome.exitCode !== 0)
    // A reader that takes its time need not hold up the clean-up.
    await Promise.all([written, pod.keep ? running.control.keep() : pod[Symbol.asyncDispose]()])
    reporter.phase('cleaned up')
    if (returned !== undefined && io.stderr.isTTY && !options.quiet) {
      reporter.note(`${returned.text} in ${returned.took} ms`)
    }
    if (outcome.failure !== undefined) throw outcome.failure
    return outcome
  } finally {
    await acknowledged
    // The first error counts, and not that the output failed as well.
    await written.catch(() => {})
  }
}

/**
 * Ends the sync before its pod goes, which would look like a failure. What the command changed comes before that.
 * @param written resolves when the terminal is not the command's any more
 */
async function bringBack(
  { pod, syncing, reporter, interrupts }: SessionInput,
  written?: Promise<unknown>,
): Promise<Return | undefined> {
  if (syncing === undefined) return undefined
  let isBack = false
  try {
    if (!syncing.returns) return undefined
    const tell = (): void => {
      if (!isBack) reporter.busy('bringing back what the command changed')
    }
    written?.then(tell, () => {})
    interrupts.saving(() => reporter.warning('what the command changed is still coming back; Ctrl-C again gives it up'))
    const returned = await syncing.bringBack(isGone(pod))
    reporter.phase(returned.text)
    return returned
  } finally {
    isBack = true
    reporter.running()
    interrupts.ended()
    await syncing[Symbol.asyncDispose]()
  }
}

async function commandEnd(
  session: SessionInput,
  running: Running & { stdout: OutputPump; stderr: OutputPump },
): Promise<CommandEnd | KuberunError | undefined> {
  const { pod, options, io, connection, interrupts } = session
  const { control, heartbeat } = running
  const lost = Promise.withResolvers<KuberunError>()
  heartbeat.beat(control, () => lost.resolve(lostForGood(control.lastError, pod.target.namespace)))
  interrupts.running((name) => {
    // A terminal's own size change makes the kernel tell the command.
    if (name !== 'CONT' && !(name === 'WINCH' && connection.tty)) control.kill(name)
  }, options.timeout)
  try {
    const attendance = attend({
      ...running,
      io,
      tty: connection.tty,
      observer: pod.observer,
      interrupts,
    })
    return await Promise.race([attendance, lost.promise])
  } catch (error) {
    if (interrupts.signal.aborted) return undefined
    throw error
  }
}

function isEnding(end: CommandEnd | KuberunError | undefined): boolean {
  return end !== undefined && 'kind' in end && end.kind === 'ended' && end.podEnding
}
