import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { RequestTarget } from './connection.ts'

/** One HTTP request on the wire. */
export interface Message {
  url: URL
  method: string
  headers: Readonly<Record<string, string | string[]>>
  body: string | undefined
  target: RequestTarget
  signal: AbortSignal
}

/** The connection failed, as opposed to: the server refused. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  /**
   * The connection had served a request before, and the server closed it before it answered ours: most likely before it
   * saw ours at all.
   */
  readonly stale: boolean

  constructor(cause: unknown, stale = false) {
    super((cause as Error).message, { cause })
    this.stale = stale
  }
}

/** A proxy's refusal to connect us. */
export class ProxyRefusal extends Error {
  override readonly name = 'ProxyRefusal'
  readonly status: number

  constructor(status: number, text: string) {
    super(`${status} ${text}`.trim())
    this.status = status
  }
}

/**
 * Sends a request and answers with the response's head; its body ends with the signal. Follows no redirects.
 * @throws {TransportError}
 */
export async function send(message: Message): Promise<IncomingMessage> {
  const { url, method, headers, body, target, signal } = message
  signal.throwIfAborted()
  const { request } = url.protocol === 'https:' ? https : http
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const req = request(url, { ...target, method, headers: { ...headers, ...length } })
  const refusal = watchProxy(req)
  const stop = (): void => void req.destroy(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  // The request closes after the response was read to its end, or was given up.
  req.once('close', () => signal.removeEventListener('abort', stop))
  return new Promise((resolve, reject) => {
    req.on('error', (error) => reject(new TransportError(error, isStale(req, error))))
    req.once('response', (response) => {
      const refused = refusal()
      if (refused === undefined) return resolve(response)
      req.destroy()
      reject(new TransportError(refused))
    })
    req.end(body)
  })
}

/** Follows what a proxy says to a request's CONNECT: it would otherwise pass for the API server's answer. */
export function watchProxy(req: ClientRequest): () => ProxyRefusal | undefined {
  let refusal: ProxyRefusal | undefined
  req.once('proxyConnect', ({ statusCode, statusText }: { statusCode: number; statusText?: string }) => {
    if (statusCode !== 200) refusal = new ProxyRefusal(statusCode, statusText ?? '')
  })
  return () => refusal
}

/** Whether a request was lost to a kept connection that the server had closed. */
export function isStale(req: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return req.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}
