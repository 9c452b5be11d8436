import type { Readable, Writable } from 'node:stream'

/**
 * Asks a question at a terminal, in whatever mode that is, and waits for a line.
 *
 * What was typed behind that line stays on stdin, for the command. (Node's readline reads ahead, and Ctrl-C as a key.)
 * @returns the line, without its end; what there was of one where the input ended
 * @throws the signal's reason when it aborts
 */
export async function ask(
  question: string,
  io: { stdin: Readable; stderr: Writable },
  signal: AbortSignal,
): Promise<string> {
  const { stdin, stderr } = io
  signal.throwIfAborted()
  stderr.write(question)
  const answer = Promise.withResolvers<string>()
  let text = Buffer.alloc(0)
  const onReadable = (): void => {
    for (let chunk: Buffer | null = stdin.read(); chunk !== null; chunk = stdin.read()) {
      text = Buffer.concat([text, chunk])
      const end = text.indexOf('\n')
      if (end < 0) continue
      // First, as what is given back is readable at once.
      stdin.off('readable', onReadable)
      if (end + 1 < text.length) stdin.unshift(text.subarray(end + 1))
      return answer.resolve(text.toString('utf8', 0, end))
    }
  }
  const onEnd = (): void => answer.resolve(text.toString())
  const onAbort = (): void => answer.reject(signal.reason)
  stdin.on('readable', onReadable).once('end', onEnd).once('error', onEnd)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await answer.promise
  } finally {
    stdin.off('readable', onReadable).off('end', onEnd).off('error', onEnd)
    signal.removeEventListener('abort', onAbort)
  }
}
