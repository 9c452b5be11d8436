import { isatty } from 'node:tty'
import type { WebSocket } from 'ws'
import packageJson from '../../package.json' with { type: 'json' }
import type { ClusterOptions } from '../options.ts'
import { prepareConnection } from './connection.ts'
import { createCredentials } from './credentials.ts'
import { loadClusterConfig } from './kubeconfig.ts'
import type { Env } from './kubeconfig-files.ts'
import { callApi } from './rest.ts'
import { type Pace, realPace } from './retry.ts'
import { watchEvents } from './watch.ts'
import type { Wire } from './wire.ts'

/** A query: a list is sent as a repeated parameter, `undefined` is left out. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the server's URL, its parts already percent-encoded: `/api/v1/namespaces/default/pods`. */
  path: string
  query?: Query
  /** Sent as JSON; of a PATCH as a merge patch. */
  body?: unknown
  /**
   * Milliseconds after which to give up, where that is sooner than usual: for what the caller can do without. The time
   * that getting credentials takes does not end a try.
   */
  timeout?: number
  /**
   * Keep trying for this many milliseconds even while the server refuses connections. For clean-up: a fresh request
   * fails at once, so that a wrong address is told at once.
   */
  patience?: number
  signal?: AbortSignal
}

/** One event of a watch. A server's ERROR event never gets here: it is thrown, or mended by a new watch. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: T
}

export interface WatchRequest<T> {
  /** The collection's path, as for {@link ApiRequest}. */
  path: string
  query?: Query
  /** Where to begin: the version that a create or a list answered with. */
  resourceVersion: string
  /** The objects that the caller knows at that version: one that a later list misses is told as DELETED. */
  known?: readonly T[]
  signal: AbortSignal
}

export interface ConnectRequest {
  path: string
  query?: Query
  /** Subprotocols, the preferred first. */
  protocols: readonly string[]
  signal: AbortSignal
}

/**
 * The one seam to the cluster: everything else in this project reaches the API server through it.
 * Methods may be called concurrently; all honour their signal and reject with its reason, but for a watch, which ends.
 */
export interface KubeClient {
  /** The namespace of the chosen context, or of `--namespace`. */
  readonly namespace: string

  /**
   * One REST call, answered with the decoded JSON body. It is sent again after a lost answer, whatever its method: an
   * object that a POST makes needs a name of the caller's choice, who takes a 409 on the second try for what it is.
   *
   * Retries 429 (after `Retry-After`), 5xx that promise recovery and broken connections, refreshes credentials once on a 401.
   * @throws {ApiError} the server's refusal, worded by its Status
   * @throws {KuberunError} `connection` or `credentials`, each with a hint
   */
  request<T>(request: ApiRequest): Promise<T>

  /**
   * The events of a collection since a resource version. Survives what a watch may end of: a clean close, a reset,
   * silence, 410 (by a list, whose objects come as MODIFIED; objects known before and gone now come as DELETED).
   * The signal ends it without an error; it throws what no new try can mend (401, 403, 404, a certificate). While the
   * server cannot be reached it keeps trying: a limit is the caller's. Leaving the loop closes the connection.
   */
  watch<T>(request: WatchRequest<T>): AsyncIterable<WatchEvent<T>>

  /**
   * A WebSocket below the server's URL, open and with a subprotocol agreed. Refusals are not retried, but for a 401 with
   * fresh credentials. Returned paused, so that no message is lost before the caller listens and resumes; it has no
   * listeners, not even for errors. The signal covers the handshake alone.
   * @throws {ApiError} the server's refusal at the handshake; without `fromKubernetes` a proxy refused, not RBAC
   * @throws {KuberunError} `connection` or `credentials`; `stream` where the subprotocol got lost on the way
   */
  connect(request: ConnectRequest): Promise<WebSocket>

  /** Closes idle connections, so that the process can end. */
  close(): void
}

/** The outside world as the client sees it; the real one where not given. */
export interface KubeRim {
  env?: Env
  /** Takes each advice of the API server's (a `Warning:` header, such as a policy's) once. */
  onWarning?: (text: string) => void
  /** Whether a credential plugin may ask the user on stdin: by default when that is a terminal. */
  interactive?: boolean
  pace?: Pace
}

// A server that takes a request and never answers must not hold us for ever.
const usualTimeout = 60_000
// The longest that a timer can hold.
const noTimeout = 2 ** 31 - 1

/**
 * Opens a client to the cluster that the options and the kubeconfig choose. Reads files; reaches no server yet.
 * @throws {KuberunError} `kubeconfig` or `credentials`, each with a hint
 */
export async function openKubeClient(options: ClusterOptions, rim: KubeRim = {}): Promise<KubeClient> {
  const { env = process.env, interactive = isatty(0), pace = realPace } = rim
  const config = await loadClusterConfig(options, env)
  const credentials = createCredentials(config, { env, interactive })
  const connection = await prepareConnection(config, env)
  const { version } = packageJson
  const wire: Wire = {
    connection,
    credentials,
    userAgent: `kuberun/${version} (${process.platform}/${process.arch})`,
    // As kubectl reads a 0.
    requestTimeout: options.requestTimeout === 0 ? noTimeout : (options.requestTimeout ?? usualTimeout),
    warn: oncePerText(rim.onWarning ?? (() => {})),
    pace,
  }
  return {
    namespace: config.namespace,
    request: (request) => callApi(wire, request),
    watch: (request) => watchEvents(wire, request),
    connect: async (request) => {
      // Loaded when first needed: what only asks the API needs no WebSocket.
      const { connectSocket } = await import('./connect.ts')
      return connectSocket(wire, request)
    },
    close: () => {
      credentials.close()
      connection.agents.close()
    },
  }
}

function oncePerText(report: (text: string) => void): (text: string) => void {
  const told = new Set<string>()
  return (text) => {
    if (told.has(text)) return
    told.add(text)
    report(text)
  }
}
