import type { ApiEvent, ApiObject, Job, Pod } from '../cluster/objects.ts'
import { events, jobs, pods, type Resource } from '../cluster/resources.ts'
import { humanDuration } from './duration.ts'
import { podReady, podState } from './pod-row.ts'

/** How the rows of a table show their object: as the `includeObject` of the query says. */
export type Included = 'None' | 'Metadata' | 'Object'

/**
 * Objects as a `meta.k8s.io/v1` Table, which `kubectl get` asks for.
 * @param now in milliseconds since 1970
 */
export function table(resource: Resource, objects: readonly ApiObject[], included: Included, now: number): object {
  const columns = columnsOf(resource)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: columns.map(({ name, wide }) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: shown(object, included),
    })),
  }
}

interface Column<T> {
  name: string
  /** Only with `-o wide`. */
  wide?: boolean
  cell(object: T, now: number): string | number
}

const none = '<none>'
const nameColumn: Column<ApiObject> = { name: 'Name', cell: ({ metadata }) => metadata.name }
const ageColumn: Column<ApiObject> = {
  name: 'Age',
  cell: ({ metadata }, now) => since(metadata.creationTimestamp, now),
}

const podColumns: Column<Pod>[] = [
  nameColumn,
  { name: 'Ready', cell: podReady },
  { name: 'Status', cell: podState },
  { name: 'Restarts', cell: () => '0' },
  ageColumn,
  { name: 'IP', wide: true, cell: ({ status }) => status.podIP ?? none },
  { name: 'Node', wide: true, cell: ({ spec }) => spec.nodeName ?? none },
  { name: 'Nominated Node', wide: true, cell: () => none },
  { name: 'Readiness Gates', wide: true, cell: () => none },
]

const eventColumns: Column<ApiEvent>[] = [
  { name: 'Last Seen', cell: ({ lastTimestamp }, now) => since(lastTimestamp, now) },
  { name: 'Type', cell: ({ type }) => type },
  { name: 'Reason', cell: ({ reason }) => reason },
  { name: 'Object', cell: ({ involvedObject: { kind, name } }) => `${kind.toLowerCase()}/${name}` },
  { name: 'Subobject', wide: true, cell: ({ involvedObject }) => involvedObject.fieldPath ?? '' },
  {
    name: 'Source',
    wide: true,
    cell: ({ source: { component, host } }) => (host ? `${component}, ${host}` : component),
  },
  { name: 'Message', cell: ({ message }) => message.trim() },
  { name: 'First Seen', wide: true, cell: ({ firstTimestamp }, now) => since(firstTimestamp, now) },
  { name: 'Count', wide: true, cell: ({ count }) => count },
  { ...nameColumn, wide: true },
]

const jobColumns: Column<Job>[] = [
  nameColumn,
  { name: 'Status', cell: ({ status }) => status.conditions?.at(-1)?.type ?? 'Running' },
  { name: 'Completions', cell: ({ spec }) => `0/${spec.completions ?? 1}` },
  { name: 'Duration', cell: ({ status }, now) => (status.startTime ? since(status.startTime, now) : '') },
  ageColumn,
]

const namespaceColumns: Column<ApiObject & { status?: { phase?: string } }>[] = [
  nameColumn,
  { name: 'Status', cell: ({ status }) => status?.phase ?? '' },
  ageColumn,
]

function columnsOf(resource: Resource): Column<ApiObject>[] {
  const special = new Map<Resource, unknown>([
    [pods, podColumns],
    [events, eventColumns],
    [jobs, jobColumns],
  ])
  return (special.get(resource) ?? namespaceColumns) as Column<ApiObject>[]
}

function shown(object: ApiObject, included: Included): object | null {
  if (included === 'None') return null
  const { metadata } = object
  return included === 'Object' ? object : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

function since(time: string, now: number): string {
  return humanDuration(now - Date.parse(time))
}
