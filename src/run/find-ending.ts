import type { KuberunError } from '../errors.ts'
import type { CommandEnd } from '../exec/command.ts'
import { endingOf, type PodEnding } from '../pod/ending.ts'
import type { PodObserver } from '../pod/observer.ts'
import { waitFor } from './wait.ts'

/** The watch may bring the cause a moment after the stream has ended of it. */
const patience = 5_000

/**
 * Whether somebody else ended the pod under the command, and why: asked only where the command's end leaves it open.
 */
export async function findEnding(
  observer: PodObserver,
  end: CommandEnd | KuberunError | undefined,
): Promise<PodEnding | undefined> {
  const own = end !== undefined && 'kind' in end && end.kind === 'ended'
  if (own && !end.podEnding) return undefined
  const give = performance.now() + patience
  try {
    while (known(observer) === undefined && performance.now() < give) {
      await waitFor(observer.change(), { signal: AbortSignal.timeout(Math.ceil(give - performance.now())) })
    }
  } catch {
    // The time is over, or the watch is lost: then it brings nothing more.
  }
  return known(observer) ?? (own ? asked : undefined)
}

const asked: PodEnding = {
  message: 'it was asked to end',
  hint: 'its node was drained, or nothing was heard from here for too long',
}

function known({ pod, deleted }: PodObserver): PodEnding | undefined {
  return endingOf(pod) ?? (deleted ? { message: 'it was deleted' } : undefined)
}
