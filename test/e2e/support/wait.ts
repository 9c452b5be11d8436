import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until the answer is there: to ask takes a quarter of the time at most, as tests run beside each other. */
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
    await sleep(Math.max(every, 3 * (performance.now() - asked)))
  }
}
