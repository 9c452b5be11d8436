import type { V1Container, V1EnvVar, V1Pod, V1PodSpec } from '@kubernetes/client-node'
import { UsageError } from '../errors.ts'
import type { EnvVar, PodOptions, RemovePolicy } from '../options.ts'
import { holderCommand } from './holder.ts'
import { runAnnotations, runMetadata } from './labels.ts'
import type { RunIdentity } from './name.ts'
import { applyOverrides } from './overrides.ts'
import { containerName, type RunPod } from './run-pod.ts'
import { plainShell } from './shell.ts'
import { withWorkspace } from './workspace.ts'

/** Between a client's giving up and its pod's being taken for left behind, in milliseconds. */
const startMargin = 60_000

export interface ManifestInput {
  run: RunIdentity
  options: PodOptions
  namespace: string
  argv: readonly string[]
  /** How long the pod may stay Pending, in milliseconds. */
  startTimeout: number
  rm: RemovePolicy
  /** Where a synced folder is to show in the container; absent: there is none. */
  remoteDir?: string
}

/**
 * The manifest of a run's pod.
 *
 * @throws {UsageError} when `--overrides` can't be applied, or takes away what a run needs
 */
export function podManifest(input: ManifestInput): RunPod {
  const plain = plainManifest(input)
  const { overrides, overrideType } = input.options
  const made = overrides === undefined ? plain : restore(applyOverrides(plain, overrides, overrideType), input)
  return input.remoteDir === undefined ? made : withWorkspace(made, input.remoteDir)
}

function plainManifest(input: ManifestInput): RunPod {
  const { run, options, namespace } = input
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: run.name,
      namespace,
      labels: { ...options.labels, ...runMetadata(run).labels },
      annotations: { ...disruptionAnnotations, ...options.annotations, ...ourAnnotations(input) },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: options.serviceAccount !== undefined,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      activeDeadlineSeconds: Math.ceil(options.deadline / 1000),
      ...(options.serviceAccount !== undefined && { serviceAccountName: options.serviceAccount }),
      ...(Object.keys(options.nodeSelector).length > 0 && { nodeSelector: { ...options.nodeSelector } }),
      ...(options.tolerations.length > 0 && { tolerations: options.tolerations.map((t) => ({ ...t })) }),
      containers: [container(options)],
    },
  }
}

/** A scale-down must not end a run that somebody waits for. */
const disruptionAnnotations = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
}

function ourAnnotations({ run, options, argv, startTimeout, rm }: ManifestInput): Record<string, string> {
  return runAnnotations(run, {
    command: options.record ? argv.join(' ') : programOf(argv),
    // The quota and the start may each take the whole time.
    startBy: new Date(run.started.getTime() + 2 * startTimeout + startMargin),
    rm,
  })
}

/** A first word that is a whole command line by mistake holds arguments. */
function programOf([first = '']: readonly string[]): string {
  return /^\S*/.exec(first)?.[0] ?? ''
}

function container(options: PodOptions): V1Container {
  const resources = {
    ...(Object.keys(options.limits).length > 0 && { limits: { ...options.limits } }),
    ...(Object.keys(options.requests).length > 0 && { requests: { ...options.requests } }),
  }
  return {
    name: containerName,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: holderCommand(plainShell, options.orphanTimeout),
    ...(options.workdir !== undefined && { workingDir: options.workdir }),
    ...(options.env.length > 0 && { env: options.env.map(literal) }),
    ...(Object.keys(resources).length > 0 && { resources }),
  }
}

/** Kubernetes expands `$(NAME)` in values, and `$$` to `$`; ours are meant as they are. */
function literal({ name, value }: EnvVar): V1EnvVar {
  return { name, value: value.replaceAll('$', '$$$$') }
}

/** Puts back what makes the pod a run's, after overrides that may have replaced it. */
function restore(overridden: V1Pod, input: ManifestInput): RunPod {
  const spec: Partial<V1PodSpec> = { ...overridden.spec, restartPolicy: 'Never' }
  refuseSharedProcesses(spec)
  const containers = spec.containers ?? []
  if (!containers.some((c) => c.name === containerName)) {
    throw new UsageError(`--overrides leave no container "${containerName}"`, {
      hint: 'the command runs in it: keep it, or merge containers by name with --override-type=strategic',
    })
  }
  return {
    ...overridden,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...overridden.metadata,
      name: input.run.name,
      namespace: input.namespace,
      labels: { ...overridden.metadata?.labels, ...runMetadata(input.run).labels },
      annotations: { ...overridden.metadata?.annotations, ...ourAnnotations(input) },
    },
    spec: { ...spec, containers: containers.map((c) => (c.name === containerName ? restoreContainer(c, input) : c)) },
  }
}

function restoreContainer({ args: _args, ...changed }: V1Container, { options }: ManifestInput): V1Container {
  return {
    ...changed,
    image: changed.image ?? options.image,
    command: holderCommand(plainShell, options.orphanTimeout),
  }
}

function refuseSharedProcesses(spec: Partial<V1PodSpec>): void {
  const field = (['hostPID', 'shareProcessNamespace'] as const).find((name) => spec[name])
  if (field === undefined) return
  throw new UsageError(`--overrides set "${field}", which a run can't have`, {
    hint: 'the run needs process 1 of its container: it ends the command when nobody waits for it any more',
  })
}
