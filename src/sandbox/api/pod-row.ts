import type { ContainerStatus, Pod } from '../cluster/objects.ts'

/** The state of a pod as `kubectl get` shows it in one word (kubernetes' `printPod`). */
export function podState(pod: Pod): string {
  const { status, metadata } = pod
  const main = status.containerStatuses ?? []
  const initializing = initState(pod)
  const reason = initializing ?? mainState(main) ?? status.reason ?? status.phase
  if (metadata.deletionTimestamp !== undefined && !['Succeeded', 'Failed'].includes(status.phase)) return 'Terminating'
  return reason
}

/** How many containers are ready, of how many. */
export function podReady({ spec, status }: Pod): string {
  const ready = status.containerStatuses?.filter((c) => c.ready && c.state.running !== undefined).length ?? 0
  return `${ready}/${spec.containers.length}`
}

function initState({ spec, status }: Pod): string | undefined {
  const all = spec.initContainers?.length ?? 0
  const done = (status.initContainerStatuses ?? []).findIndex(({ state }) => state.terminated?.exitCode !== 0)
  if (done < 0) return undefined
  const { waiting, terminated } = status.initContainerStatuses?.[done]?.state ?? {}
  if (terminated !== undefined) return `Init:${terminated.reason || `ExitCode:${terminated.exitCode}`}`
  if (waiting !== undefined && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
  return `Init:${done}/${all}`
}

/** The first container that has something to say decides. */
function mainState(statuses: readonly ContainerStatus[]): string | undefined {
  const states = statuses.map(({ state: { waiting, terminated } }) => {
    return waiting?.reason ?? (terminated && (terminated.reason || `ExitCode:${terminated.exitCode}`))
  })
  const first = states.find((state) => state !== undefined)
  return first === 'Completed' && statuses.some(({ ready }) => ready) ? 'Running' : first
}
