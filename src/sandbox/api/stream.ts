import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { badRequest, StatusError } from '../cluster/errors.ts'
import type { Pod } from '../cluster/objects.ts'
import { faultsOf } from '../kubelet/faults.ts'
import type { PodContainer } from '../kubelet/pod-container.ts'
import { attach } from './attach.ts'
import type { Call, Cluster } from './call.ts'
import { Channels } from './channels.ts'
import { containerOf, isSet } from './containers.ts'
import { exec } from './exec.ts'
import { authorizeCall } from './handle.ts'
import { endStatus, failureStatus } from './stream-status.ts'

interface Upgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
}

/**
 * Serves an exec or attach. With v5 the kubelet's refusals come in the stream, with v4 as HTTP, as from a real server.
 * @throws {StatusError} the refusal, before the upgrade
 */
export async function openStream(cluster: Cluster, call: Call, upgrade: Upgrade): Promise<void> {
  const { pod, container } = targetOf(cluster, call)
  const found = cluster.kubelet.container(pod, container)
  const problem = problemOf(call, container, found)
  if (problem !== undefined && cluster.protocol === 'v4') throw new StatusError(500, 'InternalError', problem)
  const ws = await accept(cluster, upgrade)
  const { cutAfter } = faultsOf(pod, {})
  const channels = new Channels(ws, cutAfter ?? Number.POSITIVE_INFINITY)
  await channels.send(1, Buffer.alloc(0))
  const run = problem === undefined && found !== undefined ? serve(call, found, channels) : refused(problem)
  await channels.end(await run.catch(failureStatus))
}

/**
 * Refuses an exec or attach that is no WebSocket: SPDY, or no upgrade at all.
 * @throws {StatusError} always
 */
export function refuseOther(cluster: Cluster, call: Call): never {
  targetOf(cluster, call)
  throw badRequest('Upgrade request required')
}

function targetOf(cluster: Cluster, call: Call): { pod: Pod; container: string } {
  // By a GET too, the right to create is asked for.
  authorizeCall({ ...call, verb: 'create' })
  const target = containerOf(cluster, call)
  if (target.pod.spec.nodeName) return target
  throw badRequest(`pod ${target.pod.metadata.name} does not have a host assigned`)
}

async function serve(call: Call, container: PodContainer, channels: Channels): Promise<object> {
  return call.subresource === 'exec'
    ? endStatus(await exec(call.query, container, channels))
    : attach(call.query, container, channels)
}

function problemOf({ query }: Call, name: string, container: PodContainer | undefined): string | undefined {
  const streams = ['stdin', 'stdout', 'stderr'].some((stream) => isSet(query, stream))
  if (!streams) return 'unable to upgrade connection: you must specify at least 1 of stdin, stdout, stderr'
  return container?.running ? undefined : `unable to upgrade connection: container not found ("${name}")`
}

async function refused(problem = ''): Promise<never> {
  throw new Error(problem)
}

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 32 * 1024 * 1024,
  perMessageDeflate: false,
  handleProtocols: (offered) => [...offered][0] ?? false,
})

async function accept({ protocol }: Cluster, { request, socket, head }: Upgrade): Promise<WebSocket> {
  const offered = request.headers['sec-websocket-protocol']?.split(/\s*,\s*/) ?? []
  // The newest that both know: a server that has v5 has v4 too.
  const ours = protocol === 'v5' ? ['v5.channel.k8s.io', 'v4.channel.k8s.io'] : ['v4.channel.k8s.io']
  const chosen = ours.find((name) => offered.includes(name))
  if (chosen === undefined) {
    const why = `unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${ours.join(' ')}]`
    throw new StatusError(403, 'Forbidden', `unable to upgrade: ${why}`)
  }
  request.headers['sec-websocket-protocol'] = chosen
  return new Promise((resolve) => {
    sockets.handleUpgrade(request, socket, head, (ws) => {
      // At once: what came with the handshake is read next.
      ws.pause()
      resolve(ws)
    })
  })
}
