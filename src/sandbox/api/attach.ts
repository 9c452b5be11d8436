import type { PodContainer } from '../kubelet/pod-container.ts'
import type { Channels } from './channels.ts'
import { isSet } from './containers.ts'
import { endStatus } from './stream-status.ts'

/** Joins a container's own process. It tells no exit code: the end is always a success. */
export async function attach(query: URLSearchParams, container: PodContainer, channels: Channels): Promise<object> {
  const { running, log, spec } = container
  const wanted = { stdout: isSet(query, 'stdout'), stderr: isSet(query, 'stderr') }
  let sent = Promise.resolve()
  const pass = (stream: 'stdout' | 'stderr', data: Buffer): void => {
    if (wanted[stream]) sent = sent.then(() => channels.output(stream === 'stdout' ? 1 : 2, data))
  }
  log.on('output', pass)
  const stdin = isSet(query, 'stdin') ? running?.stdin : undefined
  channels.feed(stdin, (size) => running?.resize?.(size))
  if (spec.stdinOnce) void channels.closed.then(() => stdin?.end())
  const ended = new Promise<void>((resolve) => (log.ended ? resolve() : log.once('end', resolve)))
  await Promise.race([ended, channels.closed])
  log.off('output', pass)
  await sent
  return endStatus({ code: 0 })
}
