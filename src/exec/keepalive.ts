import type { WebSocket } from 'ws'

/** In milliseconds. */
export interface KeepAliveTimes {
  /** Between beats. Load balancers cut connections that are silent for 60 s, some proxies sooner. */
  interval: number
  /** Silence after which the other end is taken for gone. */
  deadline: number
}

const realTimes: KeepAliveTimes = { interval: 10_000, deadline: 35_000 }

export interface KeepAlive {
  /** To be called for whatever arrives. */
  heard(): void
  /** To be called when input for the remote process was sent. */
  sentInput(): void
  stop(): void
}

/**
 * Keeps a quiet exec connection open, and notices a dead one.
 *
 * Each beat is a ping, which every proxy on the way counts, and an empty message, because the server's own idle limit
 * of 4 h counts messages only. The server reads both behind the input that the remote process has not taken yet: while
 * input is out that no later pong has confirmed, silence proves nothing, nor while we do not read ourselves.
 */
export function keepAlive(ws: WebSocket, onDead: () => void, times: KeepAliveTimes = realTimes): KeepAlive {
  let last = performance.now()
  let ping = 0
  let firstPingAfterInput = 0
  let lastPong = 0

  const heard = () => {
    last = performance.now()
  }
  const onPong = (data: Buffer) => {
    lastPong = Number(data.toString())
    heard()
  }
  const beat = () => {
    const expected = !ws.isPaused && lastPong >= firstPingAfterInput
    if (!expected) heard()
    else if (performance.now() - last > times.deadline) return onDead()
    ping += 1
    ws.ping(String(ping))
    ws.send(Buffer.alloc(0))
  }

  ws.on('pong', onPong)
  const timer = setInterval(beat, times.interval)
  return {
    heard,
    sentInput: () => {
      firstPingAfterInput = ping + 1
    },
    stop: () => {
      clearInterval(timer)
      ws.off('pong', onPong)
    },
  }
}
