import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { KuberunError } from '../errors.ts'
import type { Diagnosis } from './diagnosis.ts'

/** What only the user can mend: registries answer it the same way however often they are asked. */
const finalPullFailure =
  /not found|manifest unknown|unauthorized|denied|forbidden|authentication required|no basic auth|no match for platform|no matching manifest|invalid reference/i

/** Why a container waits, where that is more than its being made; undefined where it does not. */
export function waitingProblem(pod: V1Pod, status: V1ContainerStatus): Diagnosis | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {}
  const image = imageOf(pod, status)
  const fail = (what: string, hint: string): Diagnosis => ({
    state: 'failed',
    error: new KuberunError('pod', `pod "${pod.metadata?.name}" cannot start: ${what}`, { hint }),
  })
  switch (reason) {
    case 'InvalidImageName':
      return fail(`the image name "${image}" is not valid`, 'an image is [REGISTRY/]NAME[:TAG|@DIGEST], in lower case')
    case 'ErrImageNeverPull':
      return fail(
        `image "${image}" is not on the node, and the pull policy is Never`,
        'use --image-pull-policy=IfNotPresent, or an image that the nodes have',
      )
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
      return pullProblem(image, message, fail)
    case 'ImageInspectError':
      return fail(`image "${image}" cannot be read on the node: ${message}`, 'pull it again, or ask who runs the node')
    case 'CreateContainerConfigError':
      return configProblem(message, fail)
    case 'CreateContainerError':
    case 'RunContainerError':
      return noShell(message)
        ? undefined
        : fail(`the container could not be made: ${shorten(message)}`, 'check --image, --workdir and --overrides')
    default:
      return undefined
  }
}

/** A runtime's words for an image in which no `sh` can be run. */
export function noShell(message: string): boolean {
  return /"sh"|exec: sh/.test(message) && /not found|no such file|permission denied/i.test(message)
}

type Fail = (what: string, hint: string) => Diagnosis

function pullProblem(image: string, message: string, fail: Fail): Diagnosis {
  if (finalPullFailure.test(message)) {
    const denied = /unauthorized|denied|forbidden|authentication|no basic auth/i.test(message)
    const hint = denied
      ? 'check the name; a private registry needs imagePullSecrets, by --overrides or on the service account'
      : 'check the name and the tag'
    return fail(
      `image "${image}" cannot be pulled: ${denied ? 'access denied, or not found' : pullCause(message)}`,
      hint,
    )
  }
  return {
    state: 'waiting',
    mayExec: false,
    reason: `image "${image}" cannot be pulled yet: ${shorten(message)}`,
    blocked: true,
  }
}

function pullCause(message: string): string {
  if (/no match for platform|no matching manifest/i.test(message)) return "it does not exist for the node's platform"
  return /not found|manifest unknown/i.test(message) ? 'not found' : shorten(message)
}

function configProblem(message: string, fail: Fail): Diagnosis {
  const problem = fail(message, 'it must be there, in the same namespace, before the run starts')
  return /runAsNonRoot/.test(message) ? ({ ...problem, remedy: 'uid' } as Diagnosis) : problem
}

function imageOf(pod: V1Pod, status: V1ContainerStatus): string {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return all.find((c) => c.name === status.name)?.image ?? status.image
}

/** Runtimes wrap a cause in layers of "failed to …: "; the last says what happened. */
function shorten(message: string): string {
  const parts = message.replace(/^rpc error: code = \w+ desc = /, '').split(': ')
  return parts.length > 3 ? parts.slice(-3).join(': ') : parts.join(': ')
}
