import { PassThrough, type Readable, Writable } from 'node:stream'
import type { RunOptions } from '../../src/options.ts'
import type { RunResult } from '../../src/run/io.ts'
import { kuberun } from '../../src/run/kuberun.ts'
import { podOptions, runOptions } from './run-options.ts'
import type { ScriptedServer } from './scripted-server.ts'
import { TestSignals } from './signals.ts'

/** What differs from a plain run. */
export interface RunSetup extends Partial<Omit<RunOptions, 'pod' | 'command' | 'cluster'>> {
  pod?: Partial<RunOptions['pod']>
  /** Milliseconds, as `--request-timeout`. */
  requestTimeout?: number
  /** At its end where not given. */
  input?: Readable
  output?: Writable
  signals?: TestSignals
}

/** How a run ended, and what it printed here. */
export interface Ran {
  result: RunResult | undefined
  error: unknown
  stdout: Buffer
  stderr: string
}

/** Runs a command on a scripted server, by the library and with streams of our own. */
export async function runOn(
  server: Pick<ScriptedServer, 'kubeconfig'>,
  command: readonly string[],
  setup: RunSetup = {},
): Promise<Ran> {
  const { input, output, signals = new TestSignals(), pod, requestTimeout, ...options } = setup
  const [stdout, stderr] = [collector(), collector()]
  const io = {
    stdin: (input ?? new PassThrough().end()) as unknown as NodeJS.ReadStream,
    stdout: (output ?? stdout) as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    signals,
  }
  const cluster = { kubeconfig: server.kubeconfig, ...(requestTimeout !== undefined && { requestTimeout }) }
  const full = runOptions(command, { podRunningTimeout: 20_000, ...options, cluster, pod: podOptions(pod) })
  const ended = await kuberun(full, io).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  )
  return { ...ended, stdout: stdout.data(), stderr: stderr.data().toString() }
}

interface Collector extends Writable {
  data(): Buffer
}

/** A stream that keeps what it is given. */
export function collector(): Collector {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk)
      done()
    },
  })
  return Object.assign(stream, { data: () => Buffer.concat(chunks) })
}
