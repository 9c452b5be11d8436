import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** Both ends of a WebSocket on this machine. */
export interface SocketPair extends AsyncDisposable {
  readonly client: WebSocket
  readonly server: WebSocket
}

export async function socketPair(
  protocol: 'v5' | 'v4' = 'v5',
  options: { autoPong?: boolean } = {},
): Promise<SocketPair> {
  const listener = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, ...options })
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}`, [`${protocol}.channel.k8s.io`], { perMessageDeflate: false })
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'open')])) as [[WebSocket], unknown]
  return {
    client,
    server,
    [Symbol.asyncDispose]: async () => {
      client.terminate()
      server.terminate()
      await new Promise((resolve) => {
        listener.close(resolve)
      })
    },
  }
}
