import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until the answer is there. As tests run beside each other, to ask takes a quarter of the time at
 * most, and the longer it has been waited for, the longer are the pauses: by a tenth of that.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { within = 30_000, every = 100 }: { within?: number; every?: number } = {},
): Promise<T> {
  const begin = performance.now()
  for (;;) {
    const asked = performance.now()
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() - begin > within) throw new Error(`waited ${within} ms in vain for ${what}`)
    const now = performance.now()
    await sleep(Math.max(every, 3 * (now - asked), (now - begin) / 10))
  }
}
