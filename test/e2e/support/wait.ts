import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until the answer is there. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { within = 30_000, every = 100 }: { within?: number; every?: number } = {},
): Promise<T> {
  const begin = performance.now()
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() - begin > within) throw new Error(`waited ${within} ms in vain for ${what}`)
    await sleep(every)
  }
}
