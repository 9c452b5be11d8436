import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { TransportError } from './transport.ts'

/** The whole of a response. */
export async function readBody(response: IncomingMessage): Promise<string> {
  try {
    return await text(response)
  } catch (error) {
    throw new TransportError(error)
  }
}

// As much of a refusal as anybody wants to know: a proxy's page may be huge.
const excerptLimit = 64 * 1024

/** The beginning of a refusal's body; a longer one is cut, one that breaks off counts as far as it came. */
export async function readExcerpt(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    // Breaking out of the loop destroys the response, and with it a connection that would go on sending.
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= excerptLimit) break
    }
  } catch (error) {
    if (length === 0) throw new TransportError(error)
  }
  return Buffer.concat(chunks).subarray(0, excerptLimit).toString()
}
