import { UsageError } from '../errors.ts'
import type { EnvVar, PodOptions, Toleration } from '../options.ts'
import { check, controlFault, nulFault } from './checks.ts'
import { envNameFault, keyFault, labelValueFault, subdomainFault } from './names.ts'
import { checkOverrides } from './patch-shape.ts'
import { checkResources } from './validate-resources.ts'

/** Finds what is wrong with the pod. @throws {UsageError} */
export function validatePod(pod: PodOptions): void {
  check('image', pod.image, imageFault)
  check('tools image', pod.toolsImage, imageFault)
  for (const variable of pod.env) checkVariable(variable)
  checkLabels(pod.labels)
  checkAnnotations(pod.annotations)
  checkNodeSelector(pod.nodeSelector)
  for (const toleration of pod.tolerations) checkToleration(toleration)
  checkResources(pod)
  if (pod.serviceAccount !== undefined) check('service account', pod.serviceAccount, subdomainFault)
  if (pod.workdir !== undefined) check('workdir', pod.workdir, workdirFault)
  if (pod.overrides !== undefined) checkOverrides(pod.overrides, pod.overrideType)
}

function imageFault(image: string): string | undefined {
  if (image === '') return 'must not be empty'
  return /\s/.test(image) ? 'must not hold white space' : controlFault(image)
}

function workdirFault(path: string): string | undefined {
  return path.startsWith('/') ? nulFault(path) : 'must be an absolute path in the container'
}

function checkVariable({ name, value }: EnvVar): void {
  check('environment variable name', name, envNameFault)
  if (nulFault(value)) throw new UsageError(`the environment variable "${name}" must not hold a NUL byte`)
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    check('label key', key, keyFault)
    check(`value for label "${key}"`, value, labelValueFault)
    checkReserved('label', key)
  }
}

function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(annotations)) {
    check('annotation key', key, (text) => keyFault(text.toLowerCase()))
    checkReserved('annotation', key)
  }
  const bytes = Object.entries(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  if (bytes > 256 * 1024) throw new UsageError(`the annotations take ${bytes} bytes: the most is ${256 * 1024}`)
}

function checkReserved(what: string, key: string): void {
  if (key !== 'app.kubernetes.io/managed-by' && !key.startsWith('kuberun/')) return
  throw new UsageError(`the ${what} "${key}" is kuberun's own`, {
    hint: 'it is how the pod is found again: leave it out',
  })
}

function checkNodeSelector(selector: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(selector)) {
    check('node selector key', key, keyFault)
    check(`value for node selector "${key}"`, value, labelValueFault)
  }
}

function checkToleration({ key, value, operator }: Toleration): void {
  if (key !== undefined && key !== '') check('toleration key', key, keyFault)
  else if (operator !== 'Exists') throw new UsageError('a toleration without a key must have the operator "Exists"')
  if (value === undefined || value === '') return
  check('toleration value', value, labelValueFault)
  if (operator === 'Exists') throw new UsageError('a toleration with the operator "Exists" must have no value')
}
