import { on } from 'node:events'
import type { WebSocket } from 'ws'
import { KuberunError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { podExecPath } from '../kube/resources.ts'
import { channel, decodeFrame, encodeResize, type OutputChannel, protocols, type TerminalSize } from './channels.ts'
import { type ExitStatus, parseExitStatus } from './exit-status.ts'
import { ExecInput } from './input.ts'
import { type KeepAlive, keepAlive } from './keepalive.ts'

/** The container that an exec goes to. */
export interface Target {
  namespace: string
  pod: string
  container: string
}

export interface ExecRequest {
  target: Target
  command: readonly string[]
  /** Whether the process gets an input; without one it reads end of file. */
  stdin: boolean
  /** A terminal: stderr then comes merged into stdout. */
  tty: boolean
  signal: AbortSignal
}

export interface OutputFrame {
  channel: OutputChannel
  data: Buffer
}

/** A process running in a container, its streams open. */
export interface Exec {
  /** v5 can close the process's stdin, v4 can't. */
  readonly protocol: 'v5' | 'v4'
  /**
   * What the process writes, in order, as fast as it is taken: not taking it holds the process up. To be read once and
   * to the end; what it returns is how the process ended.
   * @throws {KuberunError} `connection` when the stream ended without an exit status, which is never a success
   */
  readonly output: AsyncGenerator<OutputFrame, ExitStatus, void>
  /** The process's stdin. `framed`: in blocks for a reader on the other side, see {@link ExecInput}. */
  input(options: { framed: boolean }): ExecInput
  /** Only with a tty: without one the server would stop reading at the second size. */
  resize(size: TerminalSize): void
  /** Drops the connection. The process is not told and may go on. */
  close(): void
}

/**
 * Starts a process in a container, over a WebSocket with `v5.channel.k8s.io` or `v4.channel.k8s.io`.
 *
 * That it resolves does not mean that the process runs: with v5 the kubelet's refusal comes as the exit status.
 */
export async function openExec(client: KubeClient, request: ExecRequest): Promise<Exec> {
  const { target, command, stdin, tty, signal } = request
  const ws = await client.connect({
    path: podExecPath(target.namespace, target.pod),
    query: { container: target.container, command, stdin, stdout: true, stderr: !tty, tty },
    protocols: [protocols.v5, protocols.v4],
    signal,
  })
  const alive = keepAlive(ws, () => ws.terminate())
  const end = () => {
    alive.stop()
    ws.terminate()
  }
  // A reset after the status has come, or before anybody reads the output, is no event of its own.
  ws.on('error', () => {})
  ws.once('close', () => alive.stop())
  return {
    protocol: ws.protocol === protocols.v5 ? 'v5' : 'v4',
    output: readOutput(ws, alive, signal),
    input: ({ framed }) => new ExecInput(ws, { framed, onSend: () => alive.sentInput() }),
    resize: (size) => {
      if (tty && size.columns > 0 && size.rows > 0) ws.send(encodeResize(size), () => {})
    },
    close: end,
  }
}

/** How many messages may wait here before the socket is paused; the server's are of 32 KiB at most. */
const waiting = { highWaterMark: 32, lowWaterMark: 8 }

async function* readOutput(
  ws: WebSocket,
  alive: KeepAlive,
  signal: AbortSignal,
): AsyncGenerator<OutputFrame, ExitStatus, void> {
  // A write may have found out before anybody read.
  if (ws.readyState === ws.CLOSED) throw lost('the stream was closed before anything was read of it')
  let closeCode = 0
  ws.once('close', (code) => {
    closeCode = code
  })
  const messages = on(ws, 'message', { close: ['close'], signal, ...waiting })
  ws.resume()
  let statusText = ''
  try {
    for await (const [message, isBinary] of messages as AsyncIterable<[Buffer, boolean]>) {
      alive.heard()
      if (!isBinary)
        throw new KuberunError('stream', 'the exec stream carried a text message, which no API server sends')
      const frame = decodeFrame(message)
      if (frame === undefined || frame.data.length === 0) continue
      if (frame.channel === channel.stdout || frame.channel === channel.stderr) yield { ...frame } as OutputFrame
      if (frame.channel !== channel.status) continue
      statusText += frame.data.toString()
      const status = parseExitStatus(statusText)
      if (status !== undefined) return status
    }
  } catch (error) {
    if (signal.aborted || error instanceof KuberunError) throw error
    throw lost((error as Error).message, error)
  } finally {
    alive.stop()
    ws.terminate()
  }
  throw lost(`the stream ended without an exit status, close code ${closeCode}`)
}

function lost(why: string, cause?: unknown): KuberunError {
  return new KuberunError('connection', `connection to the API server lost: ${why}`, { cause })
}
