import { UsageError } from '../../src/errors.ts'
import type { Toleration } from '../../src/options.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const

/** A toleration, written as `kubectl taint` writes the taint: `KEY=VALUE:EFFECT`, `KEY:EFFECT`, `KEY=VALUE` or `KEY`. */
export function readToleration(text: string): Toleration {
  const [, key = '', value, effectText] = /^([^=:]*)(?:=([^:]*))?(?::(.*))?$/s.exec(text) ?? []
  if (key === '') throw new UsageError('must be KEY[=VALUE][:EFFECT], as in kubectl taint')
  const effect = effects.find((one) => one === effectText)
  if (effectText !== undefined && effect === undefined) {
    throw new UsageError('the effect must be NoSchedule, PreferNoSchedule or NoExecute')
  }
  return {
    key,
    ...(value === undefined ? { operator: 'Exists' as const } : { operator: 'Equal' as const, value }),
    ...(effect && { effect }),
  }
}
