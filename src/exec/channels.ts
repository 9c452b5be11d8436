/**
 * The channels of Kubernetes' remotecommand protocols v4 and v5: each binary message is one channel byte and payload.
 * See https://kubernetes.io/docs/reference/using-api/ and KEP-4006.
 */
export const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const

/** The subprotocols that we speak, the preferred first: v5 can close stdin, v4 can't. */
export const protocols = { v5: 'v5.channel.k8s.io', v4: 'v4.channel.k8s.io' } as const

export type OutputChannel = typeof channel.stdout | typeof channel.stderr

export interface Frame {
  channel: number
  data: Buffer
}

/** Takes a message apart; undefined for an empty one. The data is a view, not a copy. */
export function decodeFrame(message: Buffer): Frame | undefined {
  const first = message[0]
  return first === undefined ? undefined : { channel: first, data: message.subarray(1) }
}

/** The message that ends stdin. Exactly two bytes: the server drops the connection over any other length. */
export const closeStdin: Buffer = Buffer.from([channel.close, channel.stdin])

export interface TerminalSize {
  columns: number
  rows: number
}

/** The message that sets the size of the remote terminal. */
export function encodeResize(size: TerminalSize): Buffer {
  const json = JSON.stringify({ Width: size.columns, Height: size.rows })
  return Buffer.concat([Buffer.of(channel.resize), Buffer.from(json)])
}
