import { raced, within } from '../kube/abort.ts'

/** How long a reader may take, after the run is over, for what is left; in milliseconds. */
const lastChance = 500

/**
 * Resolves when the output is out.
 *
 * @param signal after which a reader that has stopped reading holds nobody up: rejects then, shortly after
 */
export async function outOrOver(written: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await raced(written, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    await within({ milliseconds: lastChance, signal: undefined }, (late) => raced(written, late))
  }
}
