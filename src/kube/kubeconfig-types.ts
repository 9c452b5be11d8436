/**
 * The parts of a kubeconfig that we read, named as the file names them.
 * See https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export interface Kubeconfig {
  currentContext?: string
  contexts: Map<string, Entry<ContextEntry>>
  clusters: Map<string, Entry<ClusterEntry>>
  users: Map<string, Entry<UserEntry>>
  /** The files that were read, for messages. */
  files: readonly string[]
}

/** A named thing and the file that it came from: paths in it are relative to that file. */
export interface Entry<T> {
  value: T
  file: string
}

export interface ContextEntry {
  cluster?: string
  user?: string
  namespace?: string
}

export interface ClusterEntry {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
  'disable-compression'?: boolean
  extensions?: { name: string; extension: unknown }[]
}

export interface UserEntry {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'as-user-extra'?: Record<string, string[]>
  exec?: ExecEntry
  'auth-provider'?: { name: string; config?: Record<string, string> }
}

export interface ExecEntry {
  apiVersion?: string
  command: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  installHint?: string
  provideClusterInfo?: boolean
  interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}
