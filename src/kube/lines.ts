const newline = 0x0a

/**
 * The lines of a byte stream, without their ends. Cut at the byte, so that neither a line nor a character may be split
 * by where a chunk ends. A last line without an end is not told: whoever sent it was cut off.
 */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let pending: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      pending.push(chunk.subarray(start, end))
      yield Buffer.concat(pending).toString()
      pending = []
      start = end + 1
    }
    if (start < chunk.length) pending.push(chunk.subarray(start))
  }
}
