import type { Exec, OutputFrame } from './exec.ts'
import { type ExitStatus } from './exit-status.ts'
import { MarkScanner } from './marks.ts'

/** How a command under the wrapper ended. */
export type CommandEnd =
  /** All that it printed is here. */
  | { kind: 'ended'; exitCode: number; outOfMemory: boolean; podEnding: boolean }
  /** The stream ended before the end marks: there may have been more output. */
  | { kind: 'cut'; status: ExitStatus }

/**
 * What a command under the wrapper prints, less the wrapper's marks; begins with `started` as soon as it has started.
 *
 * @throws {KuberunError} `connection` when the stream ended without even an exit status
 */
export async function* readCommand(
  exec: Exec,
  options: { mark: string; tty: boolean },
): AsyncGenerator<'started' | OutputFrame, CommandEnd, void> {
  const stdout = new MarkScanner(options.mark)
  const stderr = new MarkScanner(options.mark)
  let announced = false
  try {
    for (;;) {
      const next = await exec.output.next()
      if (next.done) {
        yield* heldBack(stdout, stderr)
        return { kind: 'cut', status: next.value }
      }
      const scanner = next.value.channel === 1 ? stdout : stderr
      const data = scanner.feed(next.value.data)
      if (!announced && stdout.started) {
        announced = true
        yield 'started'
      }
      if (data.length > 0) yield { channel: next.value.channel, data }
      if (stdout.end !== undefined && (options.tty || stderr.end !== undefined)) return { kind: 'ended', ...stdout.end }
    }
  } finally {
    exec.close()
  }
}

function* heldBack(stdout: MarkScanner, stderr: MarkScanner): Generator<OutputFrame> {
  for (const [channel, scanner] of [
    [1, stdout],
    [2, stderr],
  ] as const) {
    const data = scanner.flush()
    if (data.length > 0) yield { channel, data }
  }
}
