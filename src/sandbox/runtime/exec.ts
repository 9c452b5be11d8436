import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { ExecOptions, ExecProcess } from '../runtime.ts'
import { exitOf } from './exit.ts'
import type { Pipes } from './pipes.ts'
import type { Place } from './place.ts'

/** Starts a process in a container: the leader of a session, its streams real pipes. Tells its pid here. */
export async function execPlain(
  place: Place,
  options: ExecOptions & { env: Readonly<Record<string, string>>; pipes: Pipes },
): Promise<ExecProcess & { pid: number | undefined }> {
  const { pipes } = options
  const stdin = options.stdin ? await pipes.toProcess() : undefined
  const [stdout, stderr] = await Promise.all([pipes.fromProcess(), pipes.fromProcess()])
  const [program = '', ...words] = [...place.leading, ...place.toRoot, ...place.words(options.command)]
  const child = spawn(program, words, {
    detached: true,
    // Not by words of an env(1): whoever looks at the container's processes would see them.
    env: options.env,
    stdio: [stdin?.theirs ?? 'ignore', stdout.theirs, stderr.theirs],
  })
  const ended = endOf(exitOf(child), [stdout.ours, stderr.ours])
  await Promise.all([stdin?.closeTheirs(), stdout.closeTheirs(), stderr.closeTheirs()])
  void ended.then(() => stdin?.close())
  return { pid: child.pid, stdin: stdin?.ours, stdout: stdout.ours, stderr: stderr.ours, ended, resize: () => {} }
}

/** The process has ended, and all that it wrote, and those wrote who have its streams, was read. */
export async function endOf(exitCode: Promise<number>, streams: readonly Readable[]): Promise<{ code: number }> {
  const closed = streams.map((stream) => once(stream, 'close'))
  const code = await exitCode
  await Promise.all(closed)
  return { code }
}
