import { KuberunError } from '../errors.ts'
import type { CommandEnd } from '../exec/command.ts'
import type { PodEnding } from '../pod/ending.ts'
import type { EndSignal, RunResult } from './io.ts'
import { signalNumber } from './signal-number.ts'

/** All that is known when a run is over. */
export interface Facts {
  pod: string
  /** How the command's stream ended; an error where it broke, undefined where we did not wait for it. */
  end: CommandEnd | Error | undefined
  /** Why the pod ended, where somebody else ended it. */
  ending: PodEnding | undefined
  memoryLimit: string | undefined
  interruptedBy: EndSignal | undefined
  /** The signal that the last key at the command's terminal stands for. */
  typed: EndSignal | undefined
  timedOut: boolean
}

export interface Outcome extends RunResult {
  /** Worth a warning. */
  note?: string
  /** To be thrown in the end: the command succeeded, and we have not. */
  failure?: KuberunError
}

/**
 * How a run ended.
 *
 * @throws {KuberunError} when it was none of the command's doing: the pod was taken away, the stream was cut, the
 *   connection was lost
 */
export function outcomeOf(facts: Facts): Outcome {
  const { end, ending, timedOut, interruptedBy } = facts
  if (timedOut) return { exitCode: 124 }
  if (ending?.outOfMemory !== undefined) return outOfMemory(ending.outOfMemory.limit)
  if (end === undefined && interruptedBy !== undefined) return deathBy(interruptedBy)
  if (ending !== undefined) throw taken(facts.pod, ending, end)
  if (end instanceof Error) throw end
  if (end === undefined) throw new KuberunError('pod', `pod "${facts.pod}" ended, and nothing tells why`)
  if (end.kind === 'cut') return cut(end, interruptedBy)
  if (end.outOfMemory) return outOfMemory(facts.memoryLimit)
  const asked = interruptedBy ?? facts.typed
  if (asked !== undefined && end.exitCode === 128 + signalNumber(asked)) return deathBy(asked)
  return { exitCode: end.exitCode }
}

/**
 * What the command says of itself counts; a success, only if what it changed is all here.
 * @param givenUpBy the signal on which nobody waited for that any longer
 */
export function afterReturn(
  outcome: Outcome,
  returned: { isIncomplete: boolean } | undefined,
  givenUpBy: EndSignal | undefined,
): Outcome {
  if (returned?.isIncomplete !== true || outcome.exitCode !== 0) return outcome
  return givenUpBy === undefined ? { ...outcome, exitCode: 125, failure: incomplete() } : deathBy(givenUpBy)
}

function incomplete(): KuberunError {
  return new KuberunError('sync', 'the command succeeded, but not all that it changed is here', {
    hint: 'the warnings say what is missing, and why; --rm=on-success keeps the pod of such a run',
  })
}

function outOfMemory(limit: string | undefined): Outcome {
  const note = `the command was killed: it ran out of memory${limit === undefined ? '' : ` (limit ${limit})`}`
  return { exitCode: 137, note: `${note}; --limits=memory=… gives it more` }
}

function deathBy(signal: EndSignal): Outcome {
  return { exitCode: 128 + signalNumber(signal), signal }
}

function taken(pod: string, ending: PodEnding, end: Facts['end']): KuberunError {
  const code = end !== undefined && !(end instanceof Error) && end.kind === 'ended' ? end.exitCode : undefined
  const after = code === undefined ? '' : `; the command then ended with exit code ${code}`
  return new KuberunError('pod', `pod "${pod}" ended while the command ran: ${ending.message}${after}`, {
    ...(ending.hint !== undefined && { hint: ending.hint }),
  })
}

function cut({ status }: CommandEnd & { kind: 'cut' }, interruptedBy: EndSignal | undefined): Outcome {
  if (interruptedBy !== undefined) return deathBy(interruptedBy)
  const code = status.kind === 'exited' ? `exit code ${status.code}` : status.error.message
  throw new KuberunError('stream', `the command's output was cut: its stream ended before the end mark (${code})`, {
    hint: 'something in the container, or the container itself, was killed: what came may not be all',
  })
}
