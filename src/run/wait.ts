import { setTimeout as sleep } from 'node:timers/promises'
import { raced } from '../kube/abort.ts'

/** Waits for something to happen, and where a time is given for so many milliseconds at most. Leaves no timer behind. */
export async function waitFor(
  event: Promise<unknown>,
  options: { atMost?: number | undefined; signal?: AbortSignal },
): Promise<void> {
  if (options.atMost === undefined) {
    await raced(event, options.signal)
    return
  }
  const timer = new AbortController()
  const time = sleep(options.atMost, undefined, { signal: timer.signal }).catch(() => {})
  try {
    await raced(Promise.race([event, time]), options.signal)
  } finally {
    timer.abort()
  }
}
