import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Container } from './container.ts'
import { refuse } from './kube-socket.ts'

/** What an exec is for: the command under its wrapper, the control exec, the sync, or the upload of a long argv. */
export type ExecKind = 'command' | 'control' | 'sync' | 'arguments'

const names: Partial<Record<string, ExecKind>> = {
  kuberun: 'command',
  'kuberun-control': 'control',
  'kuberun-sync': 'sync',
}

export interface ExecTarget {
  protocol: 'v5' | 'v4'
  /** Absent while there is none. */
  container: Container | undefined
}

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 32 * 1024 * 1024,
  perMessageDeflate: false,
  handleProtocols: (_offered, request) => (request as Upgrade).chosen ?? false,
})

type Upgrade = IncomingMessage & { chosen?: string | undefined }

/** One exec that a client asks for. A script refuses it, accepts it, or lets it run as it should. */
export class ExecAttempt {
  readonly kind: ExecKind
  readonly argv: readonly string[]
  readonly query: URLSearchParams
  /** The run's mark; empty but for the command. */
  readonly mark: string
  readonly #request: Upgrade
  readonly #socket: Socket
  readonly #head: Buffer
  readonly #target: ExecTarget

  constructor(request: IncomingMessage, connection: { socket: Socket; head: Buffer }, target: ExecTarget) {
    this.#request = request
    this.#socket = connection.socket
    this.#head = connection.head
    this.#target = target
    this.query = new URL(request.url ?? '', 'http://x').searchParams
    this.argv = this.query.getAll('command')
    const named = this.argv.indexOf('kuberun')
    this.mark = named < 0 ? '' : (this.argv[named + 1] ?? '')
    this.kind = this.argv.map((word) => names[word]).find((kind) => kind !== undefined) ?? 'arguments'
  }

  /** The subprotocols that the client offers, in its order. */
  get offered(): string {
    return this.#request.headers['sec-websocket-protocol'] ?? ''
  }

  /** Answers with HTTP. */
  refuse(status: string, body: string, headers: readonly string[] = []): void {
    refuse(this.#socket, status, body, headers)
  }

  /** Breaks the connection instead of answering. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** Takes the WebSocket, with the server's own protocol where no other is given; `null`: with none. */
  async accept(protocol: string | null = `${this.#target.protocol}.channel.k8s.io`): Promise<ExecStream> {
    this.#request.chosen = protocol ?? undefined
    const ws = await new Promise<WebSocket>((resolve) => {
      sockets.handleUpgrade(this.#request, this.#socket, this.#head, resolve)
    })
    ws.on('error', () => {})
    return new ExecStream(ws, this.#socket)
  }

  /** What the wrapper prints at the command's start, or, with an exit code and its flags, at its end. */
  markOf(word: `${number}${'' | 'o' | 't' | 'ot'};` | '+'): Buffer {
    return Buffer.concat([Buffer.of(0xfe), Buffer.from(this.mark + word)])
  }

  /** Plays the wrapper: a command that prints this and ends; then waits for the client to go. */
  async play(stream: ExecStream, output: readonly Buffer[], exitCode = 0): Promise<void> {
    await stream.send(1, this.markOf('+'))
    for (const data of output) await stream.send(1, data)
    await stream.send(1, this.markOf(`${exitCode};`))
    await stream.send(2, this.markOf(`${exitCode};`))
    await stream.closed()
  }

  /**
   * What a good server does: runs it in the container, and tells how it ended.
   * @param feed gives it its stdin
   */
  async run(feed = (stream: ExecStream, stdin: Writable): void => stream.feed(stdin)): Promise<void> {
    const { container, protocol } = this.#target
    if (container === undefined) return this.notFound()
    if (!this.#request.headers['sec-websocket-protocol']?.includes(protocol)) return this.refuse('403 Forbidden', '')
    const stream = await this.accept()
    await stream.send(1, '')
    const process = container.exec(this.argv, { stdin: this.query.get('stdin') === 'true' })
    feed(stream, process.stdin)
    const copies = [stream.copy(1, process.stdout), stream.copy(2, process.stderr)]
    const code = await process.exitCode
    // What the command itself printed is the wrapper's to keep safe: the kubelet drops what is not taken yet. A wrapper that
    // has not started it says why with its last words.
    if (this.kind !== 'command' || code === 125) await Promise.all(copies)
    await stream.end(exited(code))
  }

  /** What the kubelet says of a container that is not there yet: by HTTP with v4, in the stream with v5. */
  async notFound(): Promise<void> {
    const status = failure('InternalError', 'unable to upgrade connection: container not found ("kuberun")')
    if (this.#target.protocol === 'v4') return this.refuse('500 Internal Server Error', JSON.stringify(status))
    await (await this.accept()).end(status)
  }
}

/** The server's end of an open exec. */
export class ExecStream {
  readonly ws: WebSocket
  readonly #socket: Socket

  constructor(ws: WebSocket, socket: Socket) {
    this.ws = ws
    this.#socket = socket
  }

  /** Sends one message; resolves when it has left, or when the other end is gone. */
  async send(channel: number, data: string | Buffer): Promise<void> {
    await this.raw(Buffer.concat([Buffer.of(channel), Buffer.from(data as string)]))
  }

  async raw(message: Buffer | string): Promise<void> {
    await new Promise<void>((resolve) => {
      // Who sends on without end must hear of the close.
      this.ws.send(message, (error) => void (error ? setImmediate(resolve) : resolve()))
    })
  }

  /** Sends a Status and closes, as a server does at the end. */
  async end(status: object): Promise<void> {
    await this.send(3, JSON.stringify(status))
    this.ws.close(1000)
  }

  /** Breaks the TCP connection. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** Sends a process's output, no faster than it is taken. */
  async copy(channel: number, source: Readable): Promise<void> {
    for await (const chunk of source) {
      if (this.ws.readyState === this.ws.OPEN) await this.send(channel, chunk as Buffer)
    }
  }

  /** Gives the client's stdin to a process, one message after the other. */
  feed(stdin: Writable): void {
    this.ws.on('message', (message: Buffer) => {
      if (message[0] === 255) stdin.end()
      if (message[0] !== 0 || stdin.write(message.subarray(1))) return
      this.ws.pause()
    })
    const resume = (): void => this.ws.resume()
    stdin.on('drain', resume).once('close', resume)
    this.ws.once('close', () => stdin.end())
  }

  /** Gives a process so many bytes, at least one, of the client's stdin and the end of it; then something happens. */
  feedSome(stdin: Writable, most: number, then: () => unknown): void {
    let left = most
    this.ws.on('message', (message: Buffer) => {
      if (message[0] !== 0 || left === 0) return
      const data = message.subarray(1, 1 + left)
      left -= data.length
      stdin.write(data)
      if (left > 0) return
      stdin.end()
      then()
    })
    this.ws.once('close', () => stdin.end())
  }

  /** Resolves when the client has gone. */
  async closed(): Promise<void> {
    if (this.ws.readyState !== this.ws.CLOSED) await once(this.ws, 'close')
  }
}

/** The Status of a process that has ended. */
export function exited(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

/** The Status of an exec that could not be made. */
export function failure(reason: string, message: string, code = 500): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}
