import { createConnection, createServer } from 'node:net'
import { type Listening, listen } from './listen.ts'

/** A proxy that passes everything on, and cuts a connection on which nothing went either way for too long. */
export interface IdleProxy extends Listening {
  /** How many connections it has cut. */
  cuts(): number
}

export async function idleProxy(to: { host: string; port: number }, limit: number): Promise<IdleProxy> {
  let cuts = 0
  const server = createServer((client) => {
    const upstream = createConnection(to)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    const cut = () => {
      if (!client.destroyed) cuts += 1
      client.resetAndDestroy()
      upstream.destroy()
    }
    let timer = setTimeout(cut, limit)
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', end).on('close', end)
      from.on('data', (data) => {
        clearTimeout(timer)
        timer = setTimeout(cut, limit)
        if (!other.write(data)) from.pause()
      })
      from.on('drain', () => other.resume())
    }
    client.on('close', () => clearTimeout(timer))
  })
  return Object.assign(await listen(server), { cuts: () => cuts })
}
