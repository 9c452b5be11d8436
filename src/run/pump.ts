import type { Readable, Writable } from 'node:stream'
import { KuberunError } from '../errors.ts'
import type { ExecInput } from '../exec/input.ts'

/**
 * Feeds a stream to a remote process's stdin until its end or the signal; then no more is read from it.
 *
 * @throws {KuberunError} `stdio` when the stream cannot be read
 */
export async function pumpInput(source: Readable, input: ExecInput, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>()
  let written = Promise.resolve()
  const onData = (chunk: Buffer) => {
    written = input.write(chunk)
    if (!input.blocked) return
    source.pause()
    void written.then(() => {
      if (!signal.aborted) source.resume()
    })
  }
  const onError = (error: Error) =>
    done.reject(new KuberunError('stdio', `cannot read stdin: ${error.message}`, { cause: error }))
  const onEnd = () => done.resolve()
  source.on('data', onData).once('error', onError).once('end', onEnd).once('close', onEnd)
  signal.addEventListener('abort', onEnd, { once: true })
  // One that was closed before we listened tells no more.
  if (source.destroyed || source.readableEnded) onEnd()
  try {
    await done.promise
    if (signal.aborted) return
    // A stream tells its end right after its last chunk, paused or not.
    await written
    await input.end()
  } finally {
    signal.removeEventListener('abort', onEnd)
    source.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd).pause()
  }
}

/** One of our output streams, with its backpressure and its failure. */
export class OutputPump implements Disposable {
  readonly #stream: Writable
  readonly #name: string
  #failure: KuberunError | undefined
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#failure ??= this.#word(error)
  }

  constructor(stream: Writable, name: string) {
    this.#stream = stream
    this.#name = name
    stream.on('error', this.#onError)
  }

  /**
   * Resolves when more may be written.
   * @throws {KuberunError} `stdio` when it cannot be written
   */
  async write(data: Buffer): Promise<void> {
    if (!this.#tryWrite(data, () => {})) await this.flush()
  }

  /** Resolves when all that was written has left the process. */
  async flush(): Promise<void> {
    // A stream that fails tells it to whatever it has not written, and so to this.
    await new Promise<void>((resolve, reject) => {
      this.#tryWrite('', (error) => (error ? reject(this.#failure ?? this.#word(error)) : resolve()))
    })
    if (this.#failure !== undefined) throw this.#failure
  }

  [Symbol.dispose](): void {
    this.#stream.off('error', this.#onError)
    if (this.#failure === undefined && this.#stream.writableLength > 0) ignoreFailure(this.#stream)
  }

  /** A stream to a file or a device throws, one to a pipe or a terminal tells it by an event. */
  #tryWrite(data: Buffer | string, done: (error?: NodeJS.ErrnoException | null) => void): boolean {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return this.#stream.write(data, done)
    } catch (error) {
      this.#onError(error as NodeJS.ErrnoException)
      throw this.#failure
    }
  }

  #word(error: NodeJS.ErrnoException): KuberunError {
    const closed = error.code === 'EPIPE' || error.code === 'ECONNRESET'
    const message = closed
      ? `${this.#name} was closed by its reader before it had all of the output`
      : `cannot write ${this.#name}: ${error.message}`
    return new KuberunError('stdio', message, { cause: error })
  }
}

/** What is still on its way may fail, which interests nobody any more. */
function ignoreFailure(stream: Writable): void {
  stream.once('error', ignore)
  stream.write('', (error) => {
    if (!error) stream.off('error', ignore)
  })
}

function ignore(): void {}
