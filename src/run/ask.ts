import type { RunIO } from './io.ts'

/**
 * Asks a person at a terminal for a line, which is all that is read of it: what is typed behind that is the command's.
 *
 * The terminal keeps its mode, so that Ctrl-C is a signal. readline would take it for a key, and what follows too.
 * @returns the line; empty where the input has ended
 * @throws the signal's reason
 */
export async function ask(
  { stdin, stderr }: Pick<RunIO, 'stdin' | 'stderr'>,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  const answer = Promise.withResolvers<string>()
  const onData = (line: Buffer): void => {
    stdin.pause()
    answer.resolve(line.toString().trim())
  }
  const onEnd = (): void => answer.resolve('')
  const onAbort = (): void => answer.reject(signal.reason)
  stdin.on('data', onData).once('end', onEnd).once('error', answer.reject)
  signal.addEventListener('abort', onAbort, { once: true })
  stderr.write(question)
  stdin.resume()
  try {
    return await answer.promise
  } finally {
    stdin.off('data', onData).off('end', onEnd).off('error', answer.reject).pause()
    signal.removeEventListener('abort', onAbort)
  }
}
