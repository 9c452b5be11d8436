import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import { base64, createAuthority } from './kube-certificates.ts'
import { kubeconfigText, temporaryFolder } from './kube-home.ts'
import { type Answer, json, type Seen, startKubeServer } from './kube-server.ts'
import { ExecAttempt } from './scripted-exec.ts'
import { type LivingPod, type PodEvent, ScriptedPods } from './scripted-pods.ts'

export type Route =
  | 'create job'
  | 'patch job'
  | 'delete job'
  | 'create pod'
  | 'get pod'
  | 'list pods'
  | 'watch pods'
  | 'delete pod'
  | 'list events'

/** Answers a request; `usual` is what a good server does. */
export type ScriptedAnswer = (
  seen: Seen,
  response: ServerResponse,
  request: IncomingMessage,
  usual: () => unknown,
) => unknown

export interface ServerOptions {
  /** The stream protocol of its execs: `v5` where not given. */
  protocol?: 'v5' | 'v4'
  tls?: boolean
}

export interface Call {
  route: Route
  /** Of the object; empty for a collection. */
  name: string
  query: URLSearchParams
  body: string
}

/**
 * An API server on this machine that a test scripts. Without a script it is a good one: pods become local containers,
 * watches tell what happens to them, and an exec runs its command for real.
 */
export class ScriptedServer implements AsyncDisposable {
  /** A path. */
  readonly kubeconfig: string
  /** Every REST request, in order. */
  readonly calls: Call[] = []
  readonly execs: ExecAttempt[] = []
  readonly pods = new ScriptedPods()
  readonly jobs = new Map<string, V1Job>()
  /** Replaces answers: a list is used up, one by one, and then the usual answer comes back. */
  readonly answers: Partial<Record<Route, ScriptedAnswer | ScriptedAnswer[]>> = {}
  /** What happens to a pod that was created. */
  life: (pod: LivingPod) => unknown = async (pod) => {
    pod.schedule()
    await pod.start()
  }
  exec: (attempt: ExecAttempt) => unknown = (attempt) => attempt.run()
  readonly #made = new Set<string>()
  readonly #stack = new AsyncDisposableStack()

  private constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig
  }

  static async start({ protocol = 'v5', tls = false }: ServerOptions = {}): Promise<ScriptedServer> {
    const stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const certificate = tls ? await sharedCertificate() : undefined
    const http = stack.use(
      await startKubeServer((seen, response, request) => server.#answer(seen, response, request), certificate),
    )
    const cluster = { server: http.url, ...(certificate && { 'certificate-authority-data': base64(certificate.ca) }) }
    const server: ScriptedServer = new ScriptedServer(await folder.file('config', kubeconfigText(cluster)))
    server.#stack.use(stack)
    server.#stack.defer(() => server.#killAll())
    http.http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Node's HTTP server leaves an upgraded connection half open.
      socket.on('error', () => {}).on('end', () => socket.end())
      const name = /\/pods\/([^/]+)\/exec/.exec(request.url ?? '')?.[1] ?? ''
      const container = server.pods.all.get(name)?.container
      const attempt = new ExecAttempt(request, { socket, head }, { protocol, container })
      server.execs.push(attempt)
      void server.exec(attempt)
    })
    return server
  }

  /** The requests of a kind. */
  of(route: Route): Call[] {
    return this.calls.filter((call) => call.route === route)
  }

  /** The pods and Jobs that were created, known to the client or not, and that it did not ask to delete. */
  get left(): string[] {
    const deleted = this.calls.filter(({ route }) => route.startsWith('delete')).map((c) => `${kindOf(c)} ${c.name}`)
    return [...this.#made].filter((object) => !deleted.includes(object))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
  }

  async #killAll(): Promise<void> {
    const pods = [...this.pods.all.values()]
    this.pods.all.clear()
    await Promise.all(pods.map((pod) => pod.kill()))
  }

  async #answer(seen: Seen, response: ServerResponse, request: IncomingMessage): Promise<void> {
    const { pathname, searchParams: query } = new URL(seen.url, 'http://x')
    const [, kind = '', name = ''] = /\/namespaces\/dev\/(pods|jobs|events)(?:\/([^/]+))?$/.exec(pathname) ?? []
    const route = `${verb(seen.method, name, query)} ${kind.replace(/s$/, '')}${many(seen.method, name)}` as Route
    const call = { route, name, query, body: seen.body }
    this.calls.push(call)
    const usual = (): unknown => this.#usual(call)(seen, response, request)
    const script = this.answers[route]
    const answer = typeof script === 'function' ? script : script?.shift()
    await (answer === undefined ? usual() : answer(seen, response, request, usual))
  }

  #usual(call: Call): Answer {
    switch (call.route) {
      case 'create job':
        return this.#createJob(JSON.parse(call.body) as V1Job)
      case 'patch job':
        return this.jobs.has(call.name) ? json(200, this.jobs.get(call.name)) : notFound(call)
      case 'delete job':
        return this.jobs.delete(call.name) ? json(200, {}) : notFound(call)
      case 'create pod':
        return this.#createPod(JSON.parse(call.body) as V1Pod)
      case 'get pod':
        return this.pods.all.has(call.name) ? json(200, this.pods.all.get(call.name)?.object) : notFound(call)
      case 'list pods':
        return this.#list(call.query)
      case 'list events':
        return json(200, { metadata: {}, items: [] })
      case 'watch pods':
        return this.#watch(call.query)
      default:
        return this.#deletePod(call)
    }
  }

  #createJob(job: V1Job): Answer {
    const stored = { ...job, metadata: { ...job.metadata, uid: crypto.randomUUID() } }
    this.jobs.set(job.metadata?.name ?? '', stored)
    this.#made.add(`job ${job.metadata?.name}`)
    return json(201, stored)
  }

  #createPod(manifest: V1Pod): Answer {
    const name = manifest.metadata?.name ?? ''
    if (this.pods.all.has(name)) return status(409, 'AlreadyExists', `pods "${name}" already exists`)
    const pod = this.pods.add(manifest)
    this.#made.add(`pod ${name}`)
    const created = structuredClone(pod.object)
    void this.life(pod)
    return json(201, created)
  }

  #deletePod({ name, body }: Call): Answer {
    const pod = this.pods.all.get(name)
    if (pod === undefined) return status(404, 'NotFound', `pods "${name}" not found`)
    const { gracePeriodSeconds = 30, preconditions } = JSON.parse(body || '{}') as DeleteOptions
    const uid = preconditions?.uid
    if (uid !== undefined && uid !== pod.object.metadata.uid) {
      return status(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}`)
    }
    void pod.remove(gracePeriodSeconds)
    return json(200, pod.object)
  }

  #list(query: URLSearchParams): Answer {
    const wanted = (query.get('labelSelector') ?? '').split(',').filter((term) => term !== '')
    const field = query.get('fieldSelector')?.replace('metadata.name=', '')
    const items = [...this.pods.all.values()]
      .map((pod) => pod.object)
      .filter(({ metadata }) => wanted.every((term) => term === labelTerm(term, metadata.labels)))
      .filter(({ metadata }) => field === undefined || field === metadata.name)
    return json(200, { metadata: { resourceVersion: String(this.pods.version) }, items })
  }

  #watch(query: URLSearchParams): Answer {
    const since = Number(query.get('resourceVersion'))
    const name = query.get('fieldSelector')?.replace('metadata.name=', '')
    return (_seen, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
      const tell = ({ type, version, object }: PodEvent): void => {
        if (version > since && object.metadata.name === name) response.write(`${JSON.stringify({ type, object })}\n`)
      }
      this.pods.events.forEach(tell)
      this.pods.watchers.add(tell)
      response.once('close', () => this.pods.watchers.delete(tell))
    }
  }
}

interface DeleteOptions {
  gracePeriodSeconds?: number
  preconditions?: { uid?: string }
}

function verb(method: string, name: string, query: URLSearchParams): string {
  if (method === 'GET' && name === '') return query.has('watch') ? 'watch' : 'list'
  return { POST: 'create', GET: 'get', PATCH: 'patch', DELETE: 'delete' }[method] ?? method
}

function many(method: string, name: string): string {
  return method === 'GET' && name === '' ? 's' : ''
}

function kindOf({ route }: Call): string {
  return route.replace(/^\w+ /, '')
}

function labelTerm(term: string, labels: Record<string, string> = {}): string {
  const [label = ''] = term.split('=')
  return `${label}=${labels[label]}`
}

/** Answers with a `metav1.Status` that refuses. */
export function status(code: number, reason: string, message: string, more: object = {}): Answer {
  return json(code, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
    ...more,
  })
}

function notFound({ route, name }: Call): Answer {
  return status(404, 'NotFound', `${route.replace(/^\w+ /, '')}s "${name}" not found`)
}

let certificate: Promise<{ cert: string; key: string; ca: string }> | undefined

/** Made once in a process, by a throw-away CA. */
function sharedCertificate(): Promise<{ cert: string; key: string; ca: string }> {
  certificate ??= makeCertificate()
  return certificate
}

async function makeCertificate(): Promise<{ cert: string; key: string; ca: string }> {
  await using authority = await createAuthority()
  return { ...(await authority.sign('scripted', 'IP:127.0.0.1')), ca: authority.cert }
}
