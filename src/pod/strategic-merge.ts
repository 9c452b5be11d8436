import { UsageError } from '../errors.ts'
import { isObject, type JsonObject } from '../options/patch-shape.ts'
import { dropDirectives, elementOrder, retainKeys, unlistPrefix } from './patch-directives.ts'
import type { PatchField, PatchSchema } from './pod-schema.ts'

/**
 * Applies a strategic merge patch as Kubernetes does (apimachinery's strategicpatch): objects are merged, lists too
 * where the schema has a key for them, null takes away; `$patch`, `$retainKeys` and `$deleteFromPrimitiveList` are
 * obeyed.
 * @throws {UsageError} a patch that says nothing that can be done
 */
export function strategicMerge(original: JsonObject, patch: JsonObject, schema: PatchSchema): JsonObject {
  const { $patch: directive, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  if (directive !== undefined) throw unknownDirective(directive)
  const merged = new Map(Object.entries(retainKeys(original, patch)))
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$retainKeys') continue
    if (key.startsWith(elementOrder)) throw noElementOrder(key)
    if (key.startsWith(unlistPrefix)) unlist(merged, key.slice(unlistPrefix.length), value)
    else setOrDelete(merged, key, value === null ? undefined : mergeValue(merged.get(key), value, schema[key] ?? {}))
  }
  return Object.fromEntries(merged)
}

function mergeValue(original: unknown, patch: unknown, field: PatchField): unknown {
  if (isObject(original) && isObject(patch)) return strategicMerge(original, patch, field.fields ?? {})
  if (Array.isArray(original) && Array.isArray(patch)) {
    if (field.key !== undefined) return mergeList(original, patch, { key: field.key, fields: field.fields ?? {} })
    if (field.union) return [...new Set([...original, ...patch])]
  }
  return dropDirectives(patch)
}

function setOrDelete(map: Map<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

interface MergedList {
  key: string
  fields: PatchSchema
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], { key, fields }: MergedList): unknown[] {
  const items = patch.map((item) => requireKey(item, key))
  if (items.some((item) => item.$patch === 'replace')) return items.filter((item) => item.$patch === undefined)
  const gone = items.filter((item) => item.$patch === 'delete').map((item) => item[key])
  const kept = original.filter((item) => !(isObject(item) && gone.includes(item[key])))
  const wanted = items.filter((item) => item.$patch !== 'delete')
  const merged = wanted.map((item) => {
    const found = kept.find((one) => isObject(one) && one[key] === item[key])
    return isObject(found) ? strategicMerge(found, item, fields) : dropDirectives(item)
  })
  return order(kept, merged, key)
}

// Kubernetes keeps the patch's order among its items; an item that was there before stays before those that followed.
function order(kept: readonly unknown[], merged: readonly unknown[], key: string): unknown[] {
  const keyOf = (item: unknown) => (isObject(item) ? item[key] : undefined)
  const places = new Map(kept.map((item, index) => [keyOf(item), index]))
  const fromPatch = new Set(merged.map(keyOf))
  const others = kept.filter((item) => !fromPatch.has(keyOf(item)))
  const ordered: unknown[] = []
  for (const item of merged) {
    const place = places.get(keyOf(item)) ?? -1
    while (others.length > 0 && (places.get(keyOf(others[0])) ?? 0) < place) ordered.push(others.shift())
    ordered.push(item)
  }
  return [...ordered, ...others]
}

function requireKey(item: unknown, key: string): JsonObject {
  if (!isObject(item))
    throw new UsageError(`invalid overrides: ${JSON.stringify(item)} in a list that is merged by "${key}"`)
  const directive = item.$patch
  if (directive !== undefined && directive !== 'replace' && directive !== 'delete') throw unknownDirective(directive)
  if (item[key] === undefined && directive !== 'replace') {
    throw new UsageError(`invalid overrides: ${JSON.stringify(item)} does not contain the merge key "${key}"`)
  }
  return item
}

function unlist(merged: Map<string, unknown>, key: string, values: unknown): void {
  const list = merged.get(key)
  if (!Array.isArray(values)) throw new UsageError(`invalid overrides: "${unlistPrefix}${key}" must be a list`)
  if (Array.isArray(list)) {
    merged.set(
      key,
      list.filter((item) => !values.includes(item)),
    )
  }
}

function unknownDirective(directive: unknown): UsageError {
  return new UsageError(`invalid overrides: unknown "$patch" ${JSON.stringify(directive)}`, {
    hint: 'it is "replace" or "delete"',
  })
}

function noElementOrder(key: string): UsageError {
  return new UsageError(`invalid overrides: "${key}" is not supported`, {
    hint: 'leave it out: the order of the patch is kept',
  })
}
