import { KuberunError } from '../src/errors.ts'
import type { RunResult } from '../src/run/io.ts'

/**
 * Prints a text of ours to stdout.
 * @throws {KuberunError} `stdio`: it cannot be written; a reader that has gone (`| head`) has had what it wanted
 */
export async function print(text: string, stdout: NodeJS.WritableStream = process.stdout): Promise<RunResult> {
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
    stdout.once('error', resolve)
    stdout.write(text, resolve)
  })
  if (error && error.code !== 'EPIPE') {
    throw new KuberunError('stdio', `cannot write to stdout: ${error.message}`, { cause: error })
  }
  return { exitCode: 0 }
}
