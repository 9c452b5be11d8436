import type { V1Container } from '@kubernetes/client-node'
import { parseQuantity } from '../../options/quantity.ts'
import { badRequest, type Cause, invalid } from '../cluster/errors.ts'
import type { Pod } from '../cluster/objects.ts'

/**
 * Refuses a pod that the API server would refuse, in its words. What a user is likely to get wrong is looked at.
 * @throws {StatusError} 422, or 400 for a quantity
 */
export function validatePod(pod: Pod): void {
  for (const { resources } of pod.spec.containers ?? []) {
    Object.values({ ...resources?.limits, ...resources?.requests }).forEach(checkQuantity)
  }
  const causes = [...metadataCauses(pod), ...containersCauses(pod), ...specCauses(pod)]
  if (causes.length > 0) throw invalid('Pod', pod.metadata.name ?? '', causes)
}

type FullCause = Required<Cause>

const dns1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${dns1123}(\\.${dns1123})*`
const subdomainRule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`
const labelRule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${dns1123}')`
const labelValue = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'
const labelValueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`

/** What is wrong with an object's name, if anything. */
export function nameCauses(name: string | undefined, field = 'metadata.name'): FullCause[] {
  if (!name) return [required(field, 'name or generateName is required')]
  return matches(subdomain, name) && name.length <= 253 ? [] : [bad(field, name, subdomainRule)]
}

function metadataCauses({ metadata: { name, labels = {} } }: Pod): FullCause[] {
  const wrong = Object.values(labels).filter((value) => !matches(labelValue, value) || value.length > 63)
  return [...nameCauses(name), ...wrong.map((value) => bad('metadata.labels', value, labelValueRule))]
}

function containersCauses({ spec }: Pod): FullCause[] {
  if (spec.containers.length === 0) return [required('spec.containers')]
  const volumes = spec.volumes?.map(({ name }) => name) ?? []
  const seen = new Set<string>()
  const one = (list: string) => (container: V1Container, index: number) => {
    const field = `spec.${list}[${index}]`
    const again = seen.has(container.name) ? [duplicate(`${field}.name`, container.name)] : []
    seen.add(container.name)
    return [...containerCauses(container, field, volumes), ...again]
  }
  return [...(spec.initContainers ?? []).flatMap(one('initContainers')), ...spec.containers.flatMap(one('containers'))]
}

function containerCauses(container: V1Container, field: string, volumes: readonly string[]): FullCause[] {
  const { name, image, env = [], volumeMounts = [], imagePullPolicy = '', resources } = container
  const { limits = {}, requests = {} } = resources ?? {}
  const above = Object.keys(requests).filter((key) => limits[key] && amount(requests[key]) > amount(limits[key]))
  return [
    ...(!name ? [required(`${field}.name`)] : matches(dns1123, name) ? [] : [bad(`${field}.name`, name, labelRule)]),
    ...(image ? [] : [required(`${field}.image`)]),
    ...env.flatMap((e, i) => (e.name ? [] : [required(`${field}.env[${i}].name`)])),
    ...volumeMounts.flatMap((m, i) => {
      return volumes.includes(m.name) ? [] : [missing(`${field}.volumeMounts[${i}].name`, m.name)]
    }),
    ...oneOf(`${field}.imagePullPolicy`, imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...above.map((key) => {
      const rule = `must be less than or equal to ${key} limit of ${limits[key]}`
      return bad(`${field}.resources.requests`, requests[key] ?? '', rule)
    }),
  ]
}

function specCauses({ spec }: Pod): FullCause[] {
  const { activeDeadlineSeconds: deadline = 1 } = spec
  return [
    ...oneOf('spec.restartPolicy', spec.restartPolicy ?? '', ['Always', 'OnFailure', 'Never']),
    ...(deadline < 1
      ? [bad('spec.activeDeadlineSeconds', deadline, 'must be between 1 and 2147483647, inclusive')]
      : []),
  ]
}

function checkQuantity(text: unknown): void {
  if (parseQuantity(String(text)) !== undefined) return
  const rule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  throw badRequest(`Pod in version "v1" cannot be handled as a Pod: ${rule}`)
}

function amount(text = '0'): bigint {
  return parseQuantity(text) ?? 0n
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(`^${pattern}$`).test(text)
}

function oneOf(field: string, value: string, values: readonly string[]): FullCause[] {
  if (values.includes(value)) return []
  const list = values.map((each) => `"${each}"`).join(', ')
  return [
    { reason: 'FieldValueNotSupported', message: `Unsupported value: "${value}": supported values: ${list}`, field },
  ]
}

function bad(field: string, value: string | number, rule: string): FullCause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${rule}`, field }
}

function required(field: string, why?: string): FullCause {
  return { reason: 'FieldValueRequired', message: `Required value${why ? `: ${why}` : ''}`, field }
}

function missing(field: string, value: string): FullCause {
  return { reason: 'FieldValueNotFound', message: `Not found: "${value}"`, field }
}

function duplicate(field: string, value: string): FullCause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: "${value}"`, field }
}
