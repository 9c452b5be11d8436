import { UsageError } from '../errors.ts'
import { type RunOptions, validate } from '../options.ts'
import { planUpload } from '../sync/plan/plan.ts'
import { planObject } from '../sync/plan/plan-object.ts'
import { planText } from '../sync/plan/plan-text.ts'
import { formatObject } from './format.ts'

export interface WarpPlanOptions {
  /** `text` is for people. */
  format?: 'text' | 'json' | 'yaml'
  signal?: AbortSignal
}

/**
 * What of the local folder would go up, and why, as a text for stdout. Neither the cluster nor the folder is touched.
 * @throws {KuberunError} `usage`; `local`: the folder or an ignore file cannot be read; the signal's reason
 */
export async function warpPlan(options: RunOptions, setup: WarpPlanOptions = {}): Promise<string> {
  validate(options)
  if (options.sync === undefined) throw new UsageError('there is no folder to plan for')
  const { format = 'text', ...around } = setup
  const plan = await planUpload(options.sync, around)
  return format === 'text' ? planText(plan) : formatObject(planObject(plan), format)
}
