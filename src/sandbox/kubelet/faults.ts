import type { Pod } from '../cluster/objects.ts'
import { readDuration } from './time.ts'

/** Where a pod says how it is to fail: `slow-start=2s,cut-after=1000`. */
export const faultAnnotation = 'sandbox.kuberun/fault'

/** How things go wrong on request; times in milliseconds. */
export interface Faults {
  /** Its containers are made so much later. */
  slowStart?: number
  /** Its images cannot be pulled. */
  pullError?: true
  /** No node takes it. */
  unschedulable?: true
  /** The kubelet evicts it so long after its start. */
  evicted?: number
  /** The kernel kills its containers for want of memory so long after their start. */
  outOfMemory?: number
  /** An exec's connection breaks after so many bytes of output. */
  cutAfter?: number
  /** So long after its start the API server goes away for a second. */
  apiRestart?: number
}

/**
 * Reads faults: names with `-`, each with its time or number where it has one.
 * @throws {Error} a name or value that cannot be
 */
export function readFaults(text: string): Faults {
  const faults: Record<string, unknown> = {}
  for (const item of text.split(',').filter((each) => each !== '')) {
    const [name = '', value = ''] = item.trim().split('=')
    const read = readers[name]
    if (read === undefined) throw new Error(`unknown fault "${name}": want one of ${Object.keys(readers).join(', ')}`)
    faults[name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] = read(value)
  }
  return faults
}

/** What a pod asks for, on top of what holds for all. */
export function faultsOf(pod: Pod, all: Faults): Faults {
  return { ...all, ...readFaults(pod.metadata.annotations?.[faultAnnotation] ?? '') }
}

const readers: Readonly<Record<string, (value: string) => unknown>> = {
  'slow-start': (value) => readDuration(value || '2s'),
  'pull-error': () => true,
  unschedulable: () => true,
  evicted: (value) => readDuration(value || '0s'),
  'out-of-memory': (value) => readDuration(value || '0s'),
  'cut-after': (value) => readDuration(`${value || '0'}ms`),
  'api-restart': (value) => readDuration(value || '0s'),
}
