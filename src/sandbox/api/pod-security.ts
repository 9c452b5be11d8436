import type { V1Container } from '@kubernetes/client-node'
import type { Pod } from '../cluster/objects.ts'

/**
 * What of a pod the "restricted" Pod Security Standard refuses, in the words of Kubernetes' own admission; empty where
 * it is compliant.
 */
export function restrictedViolations({ spec }: Pod): string[] {
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  const shared = spec.securityContext ?? {}
  const host = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  const paths = spec.volumes?.filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => `"${name}"`) ?? []
  const seccomp = (c: V1Container) => c.securityContext?.seccompProfile?.type ?? shared.seccompProfile?.type ?? ''
  return [
    ...(host.length > 0 ? [`host namespaces (${host.map((field) => `${field}=true`).join(', ')})`] : []),
    ...(paths.length > 0 ? [`hostPath volumes (volume ${paths.join(', ')})`] : []),
    ...violation(
      'privileged',
      all,
      (c) => c.securityContext?.privileged,
      'must not set securityContext.privileged=true',
    ),
    ...violation(
      'allowPrivilegeEscalation != false',
      all,
      (c) => c.securityContext?.allowPrivilegeEscalation !== false,
      'must set securityContext.allowPrivilegeEscalation=false',
    ),
    ...violation('unrestricted capabilities', all, mayMuch, 'must set securityContext.capabilities.drop=["ALL"]'),
    ...violation(
      'runAsNonRoot != true',
      all,
      (c) => (c.securityContext?.runAsNonRoot ?? shared.runAsNonRoot) !== true,
      'must set securityContext.runAsNonRoot=true',
      'pod or ',
    ),
    ...rootUser(all, shared.runAsUser),
    ...violation(
      'seccompProfile',
      all,
      (c) => !['RuntimeDefault', 'Localhost'].includes(seccomp(c)),
      'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"',
      'pod or ',
    ),
  ]
}

function mayMuch({ securityContext }: V1Container): boolean {
  return !securityContext?.capabilities?.drop?.includes('ALL')
}

function violation(
  rule: string,
  containers: readonly V1Container[],
  breaks: (container: V1Container) => boolean | undefined,
  must: string,
  prefix = '',
): string[] {
  const names = containers.filter(breaks).map((c) => `"${c.name}"`)
  if (names.length === 0) return []
  return [`${rule} (${prefix}container${names.length > 1 ? 's' : ''} ${names.join(', ')} ${must})`]
}

function rootUser(containers: readonly V1Container[], shared: number | undefined): string[] {
  if (shared === 0) return ['runAsUser=0 (pod must not set runAsUser=0)']
  return violation('runAsUser=0', containers, (c) => c.securityContext?.runAsUser === 0, 'must not set runAsUser=0')
}
