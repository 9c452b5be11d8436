import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { badRequest, invalid } from '../cluster/errors.ts'
import type { ContainerLog, LogLine } from '../kubelet/log.ts'
import type { PodContainer } from '../kubelet/pod-container.ts'
import type { Answer, Call, Cluster } from './call.ts'
import { containerOf } from './containers.ts'

interface LogOptions {
  follow: boolean
  timestamps: boolean
  tail: number
  /** In milliseconds since 1970. */
  since: number
  limit: number
}

/**
 * A container's log as plain text.
 * @throws {StatusError} 400, 404, 422
 */
export function logs(cluster: Cluster, call: Call): Answer {
  const { pod, container: name } = containerOf(cluster, call)
  const options = readOptions(call)
  const container = cluster.kubelet.container(pod, name)
  const where = `container "${name}" in pod "${pod.metadata.name}"`
  if (call.query.get('previous') === 'true') throw badRequest(`previous terminated ${where} not found`)
  if (pod.spec.nodeName !== undefined && container?.state.waiting) throw badRequest(`${where} ${waiting(container)}`)
  return { send: (response) => sendLog(response, container?.log, options) }
}

function readOptions({ query, name = '' }: Call): LogOptions {
  const number = (key: string, least: number): number | undefined => {
    const text = query.get(key)
    if (text === null) return undefined
    if (Number(text) >= least) return Number(text)
    const rule = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'
    const message = `Invalid value: ${text}: ${rule}`
    throw invalid('PodLogOptions', name, [{ reason: 'FieldValueInvalid', message, field: key }])
  }
  const seconds = number('sinceSeconds', 1)
  const time = query.get('sinceTime')
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tail: number('tailLines', 0) ?? Number.POSITIVE_INFINITY,
    since: seconds === undefined ? Date.parse(time ?? '1970-01-01') : Date.now() - seconds * 1000,
    limit: number('limitBytes', 1) ?? Number.POSITIVE_INFINITY,
  }
}

function waiting({ state }: PodContainer): string {
  const { reason = '' } = state.waiting ?? {}
  const words: Readonly<Record<string, string>> = {
    ErrImagePull: 'trying and failing to pull image',
    ImagePullBackOff: "image can't be pulled",
  }
  return `is waiting to start: ${words[reason] ?? reason}`
}

async function sendLog(response: ServerResponse, log: ContainerLog | undefined, options: LogOptions): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/plain' }).flushHeaders()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    let left = options.limit
    for await (const line of linesOf(log, options, gone.signal)) {
      const text = shown(line, options.timestamps).subarray(0, left)
      left -= text.length
      if (!response.write(text)) await once(response, 'drain', { signal: gone.signal })
      if (left <= 0) break
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error
  }
  response.end()
}

async function* linesOf(log: ContainerLog | undefined, { follow, tail, since }: LogOptions, signal: AbortSignal) {
  if (log === undefined) return
  const first = log.lines.findIndex(({ time }) => time.getTime() >= since)
  const from = Math.max(first < 0 ? log.lines.length : first, log.lines.length - tail)
  if (follow) yield* log.follow(from, signal)
  else yield* log.lines.slice(from)
}

/** As a runtime writes times: to the nanosecond. */
function shown({ time, text }: LogLine, timestamps: boolean): Buffer {
  return timestamps ? Buffer.concat([Buffer.from(`${time.toISOString().replace('Z', '000000Z')} `), text]) : text
}
