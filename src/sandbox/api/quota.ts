import { parseQuantity } from '../../options/quantity.ts'
import type { Pod, ResourceQuota } from '../cluster/objects.ts'

/**
 * Why a pod does not fit into a quota, in the words of Kubernetes' own admission; undefined where it does.
 * @param others the pods of the namespace; those that have ended do not count
 */
export function quotaProblem(quota: ResourceQuota, pod: Pod, others: readonly Pod[]): string | undefined {
  const { hard } = quota.spec
  const { name } = quota.metadata
  const unset = Object.keys(hard).filter((key) => key !== 'pods' && perContainer(pod, key).includes(undefined))
  if (unset.length > 0) {
    const containers = pod.spec.containers.map((c) => c.name).join(',')
    return `failed quota: ${name}: must specify ${unset.map((key) => `${key} for: ${containers}`).join('; ')}`
  }
  const counted = others.filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed')
  const used = (key: string) => counted.reduce((sum, other) => sum + amount(other, key), 0n)
  const over = Object.keys(hard).filter((key) => used(key) + amount(pod, key) > (parseQuantity(hard[key] ?? '') ?? 0n))
  if (over.length === 0) return undefined
  const list = (value: (key: string) => string) => over.map((key) => `${key}=${value(key)}`).join(',')
  const requested = list((key) => shown(amount(pod, key)))
  const inUse = list((key) => shown(used(key)))
  return `exceeded quota: ${name}, requested: ${requested}, used: ${inUse}, limited: ${list((key) => hard[key] ?? '')}`
}

function perContainer({ spec }: Pod, key: string): (string | undefined)[] {
  const [kind, what = key] = key.split('.')
  const section = kind === 'limits' ? 'limits' : 'requests'
  return spec.containers.map(({ resources }) => resources?.[section]?.[what])
}

function amount(pod: Pod, key: string): bigint {
  if (key === 'pods') return parseQuantity('1') ?? 0n
  return perContainer(pod, key).reduce((sum, text) => sum + (parseQuantity(text ?? '0') ?? 0n), 0n)
}

/** Back to a quantity, with the largest binary unit that gives a whole number. */
function shown(value: bigint): string {
  const one = parseQuantity('1') ?? 1n
  if (value === 0n) return '0'
  if (value % one !== 0n) return `${(value * 1000n) / one}m`
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti']
  let [whole, unit] = [value / one, 0]
  while (whole % 1024n === 0n && unit < 4) [whole, unit] = [whole / 1024n, unit + 1]
  return `${whole}${units[unit]}`
}
