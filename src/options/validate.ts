import { UsageError } from '../errors.ts'
import type { ClusterOptions, RunOptions } from '../options.ts'
import { check, controlFault, nulFault } from './checks.ts'
import { labelNameFault } from './names.ts'
import { validatePod } from './validate-pod.ts'
import { validateSync } from './validate-sync.ts'

/** The longest time that a timer here can hold: 24 days 20 hours. */
const longest = 2 ** 31 - 1
/** The most seconds that Kubernetes takes for `activeDeadlineSeconds`. */
const longestDeadline = 2 ** 31 - 1
/** A beat must be able to arrive. */
const shortestOrphanTimeout = 5_000

/**
 * Finds every mistake that can be found before the cluster is asked. Reads nothing but its argument.
 * @throws {UsageError} the first one: what is wrong, and how it should be
 */
export function validate(options: RunOptions): void {
  validateCommand(options)
  validateCluster(options.cluster)
  validatePod(options.pod)
  validateTimes(options)
  if (options.sync !== undefined) validateSync(options.sync)
}

function validateCommand({ command, shell }: RunOptions): void {
  const [first] = command
  if (first === undefined) throw new UsageError('no command given')
  if (first === '' && shell !== 'always') throw new UsageError('the command is an empty word')
  for (const word of command) check('word of the command', word, nulFault)
}

function validateCluster({ namespace, asGroup = [], as, ...names }: ClusterOptions): void {
  if (namespace !== undefined) check('namespace', namespace, labelNameFault)
  for (const text of [as, ...asGroup]) check('user or group', text ?? '', controlFault)
  for (const [what, text] of Object.entries(names)) check(what, String(text), controlFault)
}

function validateTimes(options: RunOptions): void {
  const { pod, podRunningTimeout, gracePeriod, timeout = longest, cluster } = options
  if (podRunningTimeout <= 0) throw new UsageError('--pod-running-timeout must be higher than zero')
  if (timeout <= 0) throw new UsageError('--timeout must be higher than zero')
  if (pod.orphanTimeout < shortestOrphanTimeout) throw new UsageError('--orphan-timeout must be 5s or longer')
  if (pod.deadline < 1_000) throw new UsageError('--deadline must be 1s or longer')
  if (pod.deadline / 1_000 > longestDeadline) throw new UsageError(`--deadline must be ${longestDeadline}s or shorter`)
  const bounded = {
    'pod-running-timeout': podRunningTimeout,
    'grace-period': gracePeriod,
    timeout,
    'orphan-timeout': pod.orphanTimeout,
    'request-timeout': cluster.requestTimeout ?? 0,
  }
  for (const [name, time] of Object.entries(bounded)) {
    if (!(time >= 0 && time <= longest)) throw new UsageError(`--${name} must be from 0 to 596h`)
  }
}
