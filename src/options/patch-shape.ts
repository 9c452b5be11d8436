import { UsageError } from '../errors.ts'
import type { OverrideType } from '../options.ts'

export type JsonObject = { [key: string]: unknown }

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  path: string
  from?: string
  value?: unknown
}

const operations: readonly unknown[] = ['add', 'remove', 'replace', 'move', 'copy', 'test']

/** Reads overrides of type `merge` or `strategic`: an object. */
export function parseMergePatch(text: string): JsonObject {
  const patch = parse(text)
  if (isObject(patch)) return patch
  throw new UsageError(`invalid overrides: want a JSON object, got ${kindOf(patch)}`, {
    ...(Array.isArray(patch) && { hint: 'a list of operations is a patch of --override-type=json' }),
  })
}

/** Reads overrides of type `json`: a list of operations. */
export function parseJsonPatch(text: string): PatchOperation[] {
  const patch = parse(text)
  if (!Array.isArray(patch)) {
    throw new UsageError(`invalid overrides: want a JSON list of operations, got ${kindOf(patch)}`, {
      ...(isObject(patch) && { hint: 'an object is a patch of --override-type=merge or strategic' }),
    })
  }
  for (const [index, operation] of patch.entries()) checkOperation(operation, `operation ${index + 1}`)
  return patch as PatchOperation[]
}

/** Whether overrides can be read as what they should be. */
export function checkOverrides(text: string, type: OverrideType): void {
  if (type === 'json') parseJsonPatch(text)
  else parseMergePatch(text)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a JSON value is, for messages: `a list`, `null`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`invalid overrides: no JSON: ${reason}`, { cause })
  }
}

function checkOperation(operation: unknown, name: string): void {
  if (!isObject(operation)) throw new UsageError(`invalid overrides: ${name} must be an object`)
  const { op, path, from } = operation
  if (!operations.includes(op)) {
    throw new UsageError(`invalid overrides: ${name} has the op ${JSON.stringify(op) ?? 'undefined'}`, {
      hint: 'an op is add, remove, replace, move, copy or test',
    })
  }
  if (!isPointer(path)) throw new UsageError(`invalid overrides: ${name} needs a "path" such as "/spec/hostNetwork"`)
  if ((op === 'move' || op === 'copy') && !isPointer(from))
    throw new UsageError(`invalid overrides: ${name} needs a "from"`)
  if ((op === 'add' || op === 'replace' || op === 'test') && !('value' in operation)) {
    throw new UsageError(`invalid overrides: ${name} needs a "value"`)
  }
}

function isPointer(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || value.startsWith('/'))
}
