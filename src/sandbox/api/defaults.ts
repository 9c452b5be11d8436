import type { V1Container, V1PodSpec } from '@kubernetes/client-node'
import type { ApiObject, Pod } from '../cluster/objects.ts'

/** A pod as it was sent, completed as the API server completes it. */
export function defaultPod(sent: ApiObject): Pod {
  const spec = podSpec(sent.spec as V1PodSpec)
  const account = spec.serviceAccountName ?? 'default'
  const tolerations = [...(spec.tolerations ?? []), toleration('not-ready'), toleration('unreachable')]
  return {
    ...sent,
    spec: { ...spec, serviceAccountName: account, serviceAccount: account, priority: 0, tolerations },
    status: { phase: 'Pending', qosClass: qosClass(spec) },
  }
}

/** The defaults of any pod spec, a Job's template too. */
export function podSpec(spec: V1PodSpec): V1PodSpec {
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
    ...spec,
    ...(spec?.initContainers && { initContainers: spec.initContainers.map(container) }),
    containers: spec?.containers?.map(container) ?? [],
  }
}

function container(given: V1Container): V1Container {
  const tag = /:([^/@]+)(@|$)/.exec(given.image ?? '')?.[1]
  const fixed = given.image?.includes('@') || (tag !== undefined && tag !== 'latest')
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: fixed ? 'IfNotPresent' : 'Always',
    ...given,
    resources: withRequests(given.resources),
  }
}

/** What has a limit and no request requests as much. */
function withRequests({ limits, requests, ...rest }: NonNullable<V1Container['resources']> = {}): object {
  const all = { ...limits, ...requests }
  return { ...rest, ...(limits && { limits }), ...((limits ?? requests) && { requests: all }) }
}

function toleration(what: string): NonNullable<V1PodSpec['tolerations']>[number] {
  return { key: `node.kubernetes.io/${what}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }
}

function qosClass({ containers }: V1PodSpec): string {
  const given = containers.map(({ resources }) => ({ ...resources?.requests, ...resources?.limits }))
  if (given.every((amounts) => Object.keys(amounts).length === 0)) return 'BestEffort'
  const guaranteed = containers.every(({ resources }) => {
    const { limits = {}, requests } = resources ?? {}
    return ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === (requests ?? limits)[name])
  })
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
