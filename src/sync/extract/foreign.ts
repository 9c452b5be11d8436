/** Around an error of somebody whom we called, or who brings the archive: it ends the extraction, whatever its code. */
export class Foreign extends Error {
  constructor(cause: unknown) {
    super('a foreign error', { cause })
  }
}

export async function foreign<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Foreign(error)
  }
}

export function foreignSync<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Foreign(error)
  }
}

export async function* foreignPieces(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const iterator = pieces[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await foreign(async () => iterator.next())
    if (done === true) return
    yield value
  }
}
