import { UsageError } from '../errors.ts'
import { isObject, type JsonObject } from '../options/patch-shape.ts'

/** Before the name of a list: the order of its elements. Only `kubectl apply` writes it. */
export const elementOrder = '$setElementOrder/'
/** Before the name of a list of plain values: those to take away. */
export const unlistPrefix = '$deleteFromPrimitiveList/'

/** What `$retainKeys` of a patch leaves of the original. */
export function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch.$retainKeys
  if (keys === undefined) return original
  const listed = Array.isArray(keys) ? keys : []
  const stray = Object.keys(patch).find((key) => !key.startsWith('$') && patch[key] !== null && !listed.includes(key))
  if (!Array.isArray(keys) || stray !== undefined) {
    throw new UsageError('invalid overrides: "$retainKeys" must be a list of all fields that the patch sets')
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

/**
 * A part of a patch as a value of its own, where there was nothing before: nulls mean nothing, nor does an object with a
 * `$patch`, of which nothing is left.
 */
export function dropDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(dropDirectives)
  if (!isObject(value)) return value
  if (isDirective(value)) return undefined
  const entries = Object.entries(value).filter(
    ([key, inner]) => !key.startsWith('$') && inner !== null && !isDirective(inner),
  )
  return Object.fromEntries(entries.map(([key, inner]) => [key, dropDirectives(inner)]))
}

function isDirective(item: unknown): boolean {
  return isObject(item) && item.$patch !== undefined
}
