import { KuberunError } from '../errors.ts'
import { type CommandRequest, type RunningCommand, tryStart } from '../exec/start.ts'
import { TooSlow, within } from '../kube/abort.ts'
import type { KubeClient } from '../kube/client.ts'
import type { EphemeralPod } from '../pod/ephemeral-pod.ts'
import { explainRefusal } from '../pod/refusal.ts'
import { Readiness, type ReadinessOptions } from './readiness.ts'

export interface StartOptions extends Omit<ReadinessOptions, 'signal'> {
  /** How long the pod may take, in milliseconds. */
  timeout: number
  signal: AbortSignal
}

/** The command, but for where it runs. */
export type CommandSpec = Pick<CommandRequest, 'mark' | 'command' | 'stdin' | 'tty' | 'size'>

/** Starts the command as soon as the container takes it: see {@link startWhenReady}. */
export async function startCommand(
  client: KubeClient,
  pod: EphemeralPod,
  spec: CommandSpec,
  options: StartOptions,
): Promise<RunningCommand> {
  return startWhenReady(client, pod, options, (signal) =>
    tryStart(client, { ...spec, target: pod.target, shell: pod.shell, signal }),
  )
}

/**
 * Tries to start something in the container as soon as that takes it.
 *
 * @param attempt gives undefined where it is to be tried again
 * @throws {KuberunError} `pod` when the pod cannot start, or did not in time; `api` when the exec is refused
 */
export async function startWhenReady<T>(
  client: KubeClient,
  pod: EphemeralPod,
  options: StartOptions,
  attempt: (signal: AbortSignal) => Promise<T | undefined>,
): Promise<T> {
  // The connection outlives the time that the start may take.
  const giveUp = new AbortController()
  const signal = AbortSignal.any([options.signal, giveUp.signal])
  let readiness: Readiness | undefined
  const work = async (timed: AbortSignal): Promise<T> => {
    timed.addEventListener('abort', () => giveUp.abort(timed.reason), { once: true, signal })
    readiness = new Readiness(client, pod, { ...options, signal: timed })
    for (;;) {
      await readiness.worthTrying()
      const started = await attempt(signal)
      if (started !== undefined) return started
    }
  }
  try {
    return await within({ milliseconds: options.timeout, signal: options.signal }, work)
  } catch (error) {
    if (!(error instanceof TooSlow)) throw explainRefusal(error, pod.target.namespace)
    throw tooSlow(pod, options.timeout, readiness?.reason)
  }
}

function tooSlow(pod: EphemeralPod, timeout: number, reason = 'no cause is known'): KuberunError {
  const { namespace, pod: name } = pod.target
  return new KuberunError('pod', `pod "${name}" did not start within ${timeout / 1000} s: ${reason}`, {
    hint: `--pod-running-timeout gives it more time; kubectl get events -n ${namespace} may tell more`,
  })
}
