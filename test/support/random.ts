/** Numbers that look random, and are the same for the same seed. */
export interface Random {
  /** 0 up to below so many. */
  below(count: number): number
  one<T>(items: readonly T[]): T
}

/** mulberry32 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const below = (count: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }
  return {
    below,
    one: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('there is none')
      return item
    },
  }
}
