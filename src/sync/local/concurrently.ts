/**
 * Works on several items at a time, and gives the results in the order of the items.
 *
 * The first failure is thrown when all that had begun is over; nothing else is begun then.
 */
export async function concurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  // A generator, since one that throws out of its loop ends it for the others too; an array's own iterator goes on.
  const rest = each(items)
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: width }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return results
}

/** More than the threads of the pool, so that none of them waits for us. */
const width = 8

function* each<T>(items: readonly T[]): Generator<[number, T]> {
  yield* items.entries()
}
