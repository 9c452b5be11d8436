import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { UsageError } from '../src/errors.ts'
import type { ClusterOptions, EnvVar, PodOptions, RunOptions } from '../src/options.ts'
import { checkVariable } from './encoding.ts'
import type { Values } from './flag-kinds.ts'
import type { flags } from './flags.ts'
import { type EnvWord, environment, readEnvFile } from './values/environment.ts'
import { merge } from './values/pairs.ts'

/** What the flags of a run say, typed. */
export type RunFlags = Values<typeof flags>

/** Makes the options of a run from its flags and its words. Reads the files of `--env-file`. */
export function toRunOptions(program: string, values: RunFlags, command: readonly string[]): RunOptions {
  return {
    program,
    command,
    shell: values.shell,
    cluster: toClusterOptions(values),
    pod: toPodOptions(values),
    stdin: values.stdin,
    tty: values.tty ?? 'auto',
    quiet: values.quiet,
    podRunningTimeout: values['pod-running-timeout'],
    ...present({ timeout: values.timeout || undefined }),
    gracePeriod: values['grace-period'],
    rm: values.rm,
    verbosity: values.v,
  }
}

function toClusterOptions(values: RunFlags): ClusterOptions {
  const { kubeconfig, context, cluster, user, namespace, as } = values
  return {
    // kubectl takes an empty value for none, and scripts pass `--context "$CONTEXT"` so.
    ...present({
      kubeconfig: kubeconfig || undefined,
      context: context || undefined,
      cluster: cluster || undefined,
      user: user || undefined,
      namespace: namespace || undefined,
      as: as || undefined,
    }),
    asGroup: values['as-group'],
    requestTimeout: values['request-timeout'],
  }
}

function toPodOptions(values: RunFlags): PodOptions {
  return {
    image: values.image,
    imagePullPolicy: values['image-pull-policy'],
    env: toEnvironment(values),
    labels: merge(values.labels),
    annotations: merge(values.annotations),
    limits: merge(values.limits),
    requests: merge(values.requests),
    nodeSelector: merge(values['node-selector']),
    tolerations: values.toleration,
    ...present({
      serviceAccount: values.serviceaccount || undefined,
      workdir: values.workdir,
      overrides: values.overrides || undefined,
    }),
    overrideType: values['override-type'],
    deadline: values.deadline,
    orphanTimeout: values['orphan-timeout'],
    tools: values.tools,
    toolsImage: values['tools-image'],
    record: values.record,
  }
}

function toEnvironment(values: RunFlags): EnvVar[] {
  const words = [...values['env-file'].flatMap(readFile), ...values.env]
  for (const { name, value } of words) {
    if (value === undefined) checkVariable(name, process.env[name] ?? '')
  }
  return environment(words, process.env)
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

// An absent option is absent, not undefined.
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>
}

function readFile(path: string): EnvWord[] {
  try {
    const bytes = readFileSync(path)
    if (!isUtf8(bytes)) throw new UsageError(`the env file "${path}" is not UTF-8`)
    return readEnvFile(bytes.toString(), path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new UsageError(`cannot read the env file "${path}" (${reason})`, { cause: error })
  }
}
