import { qualifiedName, type Resource } from './resources.ts'

export interface Cause {
  reason?: string
  message: string
  field?: string
}

/** A `metav1.Status` that refuses. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: object
  status: 'Failure'
  message: string
  reason: string
  details?: object
  code: number
}

/** A request that is refused: the API answers with the Status. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: Status

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message)
    const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const
    this.status = { ...head, message, reason, ...(details && { details }), code }
  }
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

/** A path that the server does not have. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function noSuchMethod(): StatusError {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusError(405, 'MethodNotAllowed', message, {})
}

export function notFound(resource: Resource, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualifiedName(resource)} "${name}" not found`, named(resource, name))
}

export function alreadyExists(resource: Resource, name: string): StatusError {
  const message = `${qualifiedName(resource)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, named(resource, name))
}

/** An object that admission refuses. */
export function forbidden(resource: Resource, name: string, why: string, causes?: Cause[]): StatusError {
  const message = `${qualifiedName(resource)} "${name}" is forbidden: ${why}`
  return new StatusError(403, 'Forbidden', message, { ...named(resource, name), ...(causes && { causes }) })
}

/** A precondition that does not hold. */
export function wrongUid(resource: Resource, name: string, uids: { wanted: string; found: string }): StatusError {
  const why = `the UID in the precondition (${uids.wanted}) does not match the UID in record (${uids.found})`
  const message = `Operation cannot be fulfilled on ${resource.kind} "${name}": ${why}. The object might have been deleted and then recreated`
  return new StatusError(409, 'Conflict', message, { name, kind: resource.kind })
}

/** An object that validation refuses. */
export function invalid(kind: string, name: string, causes: readonly Required<Cause>[]): StatusError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const list = texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`
  const details = { ...(name !== '' && { name }), kind, causes }
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, details)
}

/** A watch from a version that nobody remembers. */
export function expired(version: number, oldest: number): StatusError {
  return new StatusError(410, 'Expired', `too old resource version: ${version} (${oldest})`)
}

function named({ plural, group }: Resource, name: string): object {
  return { name, ...(group !== '' && { group }), kind: plural }
}
