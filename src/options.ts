export { validate } from './options/validate.ts'

/** How to reach the cluster: kubectl's flags of the same names. Absent: what the kubeconfig says. */
export interface ClusterOptions {
  /** A kubeconfig file; otherwise `$KUBECONFIG` (several files), `~/.kube/config`, or the pod that we run in. */
  kubeconfig?: string
  context?: string
  cluster?: string
  user?: string
  namespace?: string
  /** Impersonation. */
  as?: string
  asGroup?: readonly string[]
  /** Milliseconds that one request may take; 0: no limit; absent: a minute. */
  requestTimeout?: number
}

export interface EnvVar {
  name: string
  value: string
}

/** Amounts by resource name, such as `{memory: '20Mi'}`. */
export type Quantities = Readonly<Record<string, string>>

export interface Toleration {
  key?: string
  operator?: 'Exists' | 'Equal'
  value?: string
  effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export type OverrideType = 'merge' | 'strategic' | 'json'
export type RemovePolicy = 'always' | 'on-success' | 'never'
export type ToolsMode = 'auto' | 'always' | 'never'
export type ShellMode = 'auto' | 'always' | 'never'

/** What the ephemeral pod looks like. */
export interface PodOptions {
  image: string
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  env: readonly EnvVar[]
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  serviceAccount?: string
  limits: Quantities
  requests: Quantities
  nodeSelector: Readonly<Record<string, string>>
  tolerations: readonly Toleration[]
  /** The command's working directory; absent: the image's. */
  workdir?: string
  /** A patch of the manifest, as text. */
  overrides?: string
  overrideType: OverrideType
  /** Milliseconds after which Kubernetes ends the pod whatever happens. */
  deadline: number
  /** Milliseconds without a sign of life from the client after which the pod ends itself. */
  orphanTimeout: number
  /** Whether a static BusyBox is brought along: `auto` where the image has no shell. */
  tools: ToolsMode
  toolsImage: string
  /** Whether the annotation holds the command's arguments. */
  record: boolean
}

/** What of a local folder goes to the pod, and where to. */
export interface SyncOptions {
  /** The local root: a folder's path. */
  dir: string
  /** The remote root, an absolute path in the container: it becomes the command's working directory. */
  remoteDir: string
  /** gitignore patterns, as on a line of an ignore file at the root. */
  exclude: readonly string[]
  /** As `exclude`; where there is one, nothing else goes. */
  include: readonly string[]
  /** Whether git's ignore rules and `.warpignore` count. */
  ignore: boolean
  /** Bytes above which the first upload asks, or fails where nobody can be asked. */
  maxUpload: number
  /** Nothing more is sent once the command runs. */
  once: boolean
  /** A shell line that runs in the pod after each batch that was applied there. */
  onSync?: string
  /** What cannot be read fails the run instead of a warning. */
  strict: boolean
  /** What of the changes that the command makes comes back; absent: none. */
  back?: BackOptions
}

/** How what the command changed in the remote root comes back. */
export interface BackOptions {
  /** gitignore patterns: what matches comes back although it does not go up. */
  patterns: readonly string[]
  /** What becomes of a file that changed on both sides. */
  onConflict: 'keep-both' | 'local' | 'remote' | 'fail'
  /** Whether more than half of ten or more files may be deleted here. */
  allowMassDelete: boolean
  /** Milliseconds between two looks at the remote root while the command runs. With {@link SyncOptions.once} there is none until it has ended. */
  interval: number
}

/** One run: a command in an ephemeral pod. All durations are milliseconds. */
export interface RunOptions {
  /** The program's name, for the pod's name and annotation and for what is said of the run: `kuberun`. */
  program: string
  /** The words after our flags, untouched. */
  command: readonly string[]
  shell: ShellMode
  cluster: ClusterOptions
  pod: PodOptions
  /** Whether local stdin is forwarded. */
  stdin: boolean
  /** `auto`: when stdin, stdout and stderr are all terminals and we are in the foreground. */
  tty: boolean | 'auto'
  quiet: boolean
  /** How long the pod may take to start. */
  podRunningTimeout: number
  /** How long the command may take; absent: no limit. */
  timeout?: number
  /** How long a signalled command may take to end. */
  gracePeriod: number
  rm: RemovePolicy
  /** 0: quiet about what goes well; from 1: the time of each phase. */
  verbosity: number
  /** The folder that is kept in sync with the pod; absent: none is. */
  sync?: SyncOptions
}

/** The image that runs where no other is named. */
export const defaultImage = 'alpine:3.20'
/** Where the static BusyBox for images without a shell comes from. */
export const defaultToolsImage = 'busybox:1.37.0-musl'
/** Where the local root shows in the container. */
export const defaultRemoteDir = '/workspace'
/** In bytes. */
export const defaultMaxUpload = 500_000_000
