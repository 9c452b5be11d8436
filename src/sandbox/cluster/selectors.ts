import { badRequest } from './errors.ts'
import type { ApiObject } from './objects.ts'

export type Matcher = (object: ApiObject) => boolean

/**
 * Reads a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
 * @throws {StatusError} 400
 */
export function labelSelector(text: string): Matcher {
  const terms = split(text).map(labelTerm)
  return ({ metadata: { labels = {} } }) => terms.every((matches) => matches(labels))
}

/**
 * Reads a field selector: `metadata.name=a,status.phase!=Running`.
 * @param fields the paths that may be asked for
 * @throws {StatusError} 400
 */
export function fieldSelector(text: string, fields: readonly string[]): Matcher {
  const terms = split(text).map((term) => fieldTerm(term, fields))
  return (object) => terms.every((matches) => matches(object))
}

const labelKey = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`
const equality = new RegExp(`^\\s*(${labelKey})\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)\\s*$`)
const membership = new RegExp(`^\\s*(${labelKey})\\s+(in|notin)\\s*\\(([^()]*)\\)\\s*$`)
const existence = new RegExp(`^\\s*(!?)\\s*(${labelKey})\\s*$`)

type LabelMatcher = (labels: Record<string, string>) => boolean

function labelTerm(term: string): LabelMatcher {
  const [, key = '', operator, value] = equality.exec(term) ?? []
  if (operator !== undefined) return (labels) => (labels[key] === value) === (operator !== '!=')
  const [, name = '', word, list = ''] = membership.exec(term) ?? []
  if (word !== undefined) {
    const values = list.split(',').map((item) => item.trim())
    return (labels) => (name in labels && values.includes(labels[name] ?? '')) === (word === 'in')
  }
  const [, not, wanted = ''] = existence.exec(term) ?? []
  if (not === undefined) throw badRequest(`unable to parse requirement: found '${term.trim()}'`)
  return (labels) => wanted in labels === (not === '')
}

function fieldTerm(term: string, fields: readonly string[]): Matcher {
  const [, path = '', operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
  if (operator === undefined) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  if (!fields.includes(path)) throw badRequest(`field label not supported: ${path}`)
  return (object) => (fieldOf(object, path) === value) === (operator !== '!=')
}

function fieldOf(object: object, path: string): string {
  let value: unknown = object
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return typeof value === 'string' ? value : ''
}

/** At commas outside of parentheses. */
function split(text: string): string[] {
  if (text.trim() === '') return []
  const terms = text.split(/,(?![^(]*\))/)
  if (terms.some((term) => term.trim() === '')) throw badRequest("found ',', expected: identifier after ','")
  return terms
}
