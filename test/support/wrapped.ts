import { once } from 'node:events'
import { MarkScanner } from '../../src/exec/marks.ts'
import { type InputMode, wrapperCommand } from '../../src/exec/wrapper.ts'
import type { Shell } from '../../src/pod/shell.ts'
import type { Container, ContainerProcess } from './container.ts'

/** A command under the wrapper, in a container, with the marks taken out of what it prints. */
export class Wrapped {
  readonly process: ContainerProcess
  readonly #stdout = new MarkScanner('test-mark')
  readonly #stderr = new MarkScanner('test-mark')
  readonly #container: Container
  #ended = Promise.withResolvers<void>()
  #text = { out: '', err: '' }

  constructor(
    container: Container,
    options: { shell: Shell; input?: InputMode; stdin?: boolean; command: readonly string[] },
  ) {
    const { shell, input = 'none', stdin = input !== 'none', command } = options
    this.#container = container
    this.process = container.exec(wrapperCommand(shell, { mark: 'test-mark', input, command }), { stdin })
    this.process.stdout.on('data', (data: Buffer) => this.#take('out', this.#stdout.feed(data)))
    this.process.stderr.on('data', (data: Buffer) => this.#take('err', this.#stderr.feed(data)))
    void this.process.exitCode.then(() => this.#ended.resolve())
  }

  get stdout(): string {
    return this.#text.out
  }

  get stderr(): string {
    return this.#text.err
  }

  get started(): boolean {
    return this.#stdout.started
  }

  /** What the end marks say. Resolves when both are there, or when there can be none any more. */
  async end(): Promise<{ exitCode: number; outOfMemory: boolean; podEnding: boolean } | undefined> {
    await this.#ended.promise
    return this.#stderr.end && this.#stdout.end
  }

  /** Acknowledges the end, as the control exec does; gives the wrapper's own exit code. */
  async acknowledge(): Promise<number> {
    await run(this.#container, 'echo >/dev/shm/kuberun.ack')
    return this.process.exitCode
  }

  /** Resolves when this was printed to stdout. */
  async said(text: string): Promise<void> {
    while (!this.stdout.includes(text)) await once(this.process.stdout, 'data')
  }

  #take(name: 'out' | 'err', data: Buffer): void {
    this.#text[name] += data.toString('latin1')
    if (this.#stdout.end !== undefined && this.#stderr.end !== undefined) this.#ended.resolve()
  }
}

/** Runs a script in a container to its end. */
export async function run(container: Container, script: string): Promise<{ code: number; stdout: string }> {
  const process = container.exec(['sh', '-c', script], { stdin: false })
  let stdout = ''
  process.stdout.on('data', (data: Buffer) => {
    stdout += data.toString()
  })
  const [code] = await Promise.all([process.exitCode, once(process.stdout, 'close')])
  return { code, stdout }
}
