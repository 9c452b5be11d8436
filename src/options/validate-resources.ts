import { UsageError } from '../errors.ts'
import type { Quantities } from '../options.ts'
import { check } from './checks.ts'
import { keyFault } from './names.ts'
import { parseQuantity } from './quantity.ts'

/** Finds wrong resource names and amounts, and requests above their limits. @throws {UsageError} */
export function checkResources({ limits, requests }: { limits: Quantities; requests: Quantities }): void {
  const limitAmounts = readAmounts('limit', limits)
  for (const [name, amount] of readAmounts('request', requests)) {
    const limit = limitAmounts.get(name)
    if (limit !== undefined && amount > limit) {
      throw new UsageError(`the request "${name}=${requests[name]}" is above the limit "${name}=${limits[name]}"`)
    }
  }
}

function readAmounts(what: string, quantities: Quantities): Map<string, bigint> {
  return new Map(Object.entries(quantities).map(([name, text]) => [name, readAmount(what, name, text)]))
}

function readAmount(what: string, name: string, text: string): bigint {
  check(`resource name for a ${what}`, name, resourceFault)
  const amount = parseQuantity(text)
  if (amount === undefined) {
    throw new UsageError(`invalid ${what} "${name}=${text}": must be an amount such as 500m, 2, 128Mi or 1.5Gi`)
  }
  if (amount < 0n) throw new UsageError(`invalid ${what} "${name}=${text}": must not be negative`)
  return amount
}

function resourceFault(name: string): string | undefined {
  if (name.includes('/')) return keyFault(name)
  if (/^(?:cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) return undefined
  return 'must be cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME'
}
