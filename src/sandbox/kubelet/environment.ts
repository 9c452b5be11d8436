import type { V1Container, V1EnvVar } from '@kubernetes/client-node'
import type { Pod } from '../cluster/objects.ts'
import { ConfigError } from './config-error.ts'

/** The environment of a container: what every image has, and what the pod says. */
export function environment(pod: Pod, container: V1Container, hostname: string): Record<string, string> {
  const env: Record<string, string> = { PATH: searchPath, HOSTNAME: hostname }
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    missing('configmap', configMapRef)
    missing('secret', secretRef)
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, pod, env)
    if (value !== undefined) env[variable.name] = value
  }
  return env
}

/** Kubernetes' `$(NAME)`: the variable where there is one; `$$` is one `$`. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\$|\(([^)]*)\))/g, (whole, inner: string, name = '') => {
    return inner === '$' ? '$' : (env[name as string] ?? whole)
  })
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function valueOf({ value = '', valueFrom }: V1EnvVar, pod: Pod, env: Record<string, string>): string | undefined {
  if (valueFrom === undefined) return expand(value, env)
  missing('configmap', valueFrom.configMapKeyRef)
  missing('secret', valueFrom.secretKeyRef)
  return valueFrom.fieldRef && podField(pod, valueFrom.fieldRef.fieldPath)
}

/** The sandbox has none of these: one that is not optional holds the container up. */
function missing(kind: 'configmap' | 'secret', wanted: { name?: string; optional?: boolean } | undefined): void {
  if (wanted && !wanted.optional) throw new ConfigError(`${kind} "${wanted.name}" not found`)
}

/** The downward API: `metadata.name`, `metadata.labels['a']`, `status.podIP`. */
function podField(pod: Pod, path: string): string {
  const [, field = path, key] = /^(.*)\['(.*)'\]$/.exec(path) ?? []
  let value: unknown = pod
  for (const part of [...field.split('.'), ...(key === undefined ? [] : [key])]) {
    value = (value as Record<string, unknown> | undefined)?.[part]
  }
  return typeof value === 'string' ? value : ''
}
