import type { V1Pod } from '@kubernetes/client-node'
import { applyPatch } from 'rfc6902'
import { UsageError } from '../errors.ts'
import { isObject, kindOf, parseJsonPatch, parseMergePatch } from '../options/patch-shape.ts'
import type { OverrideType } from '../options.ts'
import { mergePatch } from './merge-patch.ts'
import { podSchema } from './pod-schema.ts'
import { strategicMerge } from './strategic-merge.ts'

/**
 * The manifest with the user's patch applied, as `kubectl run --overrides` applies it; the one given is not changed.
 * What a run cannot do without is the caller's to put back.
 *
 * - `merge`: RFC 7386, lists are replaced
 * - `strategic`: Kubernetes' strategic merge, containers, env and the like are merged by their names
 * - `json`: RFC 6902, a list of operations
 * @throws {UsageError} a patch that cannot be read or applied, or leaves no pod
 */
export function applyOverrides(pod: V1Pod, overrides: string, type: OverrideType): V1Pod {
  const plain: unknown = JSON.parse(JSON.stringify(pod))
  return requirePod(patched(plain, overrides, type))
}

function patched(pod: unknown, overrides: string, type: OverrideType): unknown {
  if (type === 'json') return patchByOperations(pod, overrides)
  const patch = parseMergePatch(overrides)
  return type === 'merge' ? mergePatch(pod, patch) : strategicMerge(isObject(pod) ? pod : {}, patch, podSchema)
}

function patchByOperations(pod: unknown, overrides: string): unknown {
  const operations = parseJsonPatch(overrides)
  // The package changes what it is given, and cannot replace the whole of it.
  const holder = { pod }
  const moved = operations.map((operation) => ({
    ...operation,
    path: `/pod${operation.path}`,
    ...(operation.from !== undefined && { from: `/pod${operation.from}` }),
  }))
  const errors = applyPatch(holder, moved as Parameters<typeof applyPatch>[1])
  const failed = errors.findIndex((error) => error !== null)
  const operation = operations[failed]
  if (operation !== undefined) {
    throw new UsageError(
      `cannot apply overrides: operation ${failed + 1}: ${operation.op} "${operation.path}" failed`,
      {
        cause: errors[failed],
        hint:
          operation.op === 'test'
            ? 'the value is another one'
            : 'there is no such path in the manifest: --dry-run=client prints it',
      },
    )
  }
  return holder.pod
}

// Only what the rest of this program relies on: the API server knows the types of all fields, and tells.
function requirePod(value: unknown): V1Pod {
  if (!isObject(value)) throw wrongType('the manifest', 'an object', value)
  const { metadata = {}, spec } = value
  if (!isObject(metadata)) throw wrongType('"metadata"', 'an object', metadata)
  if (!isObject(spec)) throw wrongType('"spec"', 'an object', spec)
  for (const field of ['labels', 'annotations']) {
    const map = metadata[field] ?? {}
    if (!isObject(map)) throw wrongType(`"metadata.${field}"`, 'an object', map)
  }
  for (const field of ['containers', 'initContainers', 'volumes']) requireObjects(spec[field] ?? [], `spec.${field}`)
  return value
}

function requireObjects(value: unknown, path: string): void {
  if (!Array.isArray(value)) throw wrongType(`"${path}"`, 'a list', value)
  for (const item of value) if (!isObject(item)) throw wrongType(`an item of "${path}"`, 'an object', item)
}

function wrongType(what: string, wanted: string, value: unknown): UsageError {
  const got = value === undefined ? 'nothing' : kindOf(value)
  return new UsageError(`cannot apply overrides: ${what} must be ${wanted}, and became ${got}`)
}
