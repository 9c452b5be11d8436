import { KuberunError } from '../errors.ts'
import type { RunOptions } from '../options.ts'

/** What of the local folder would go up, and why; the cluster is not touched. */
export async function warpPlan(_options: RunOptions, _format: 'text' | 'json' | 'yaml'): Promise<string> {
  throw new KuberunError('usage', 'a plan cannot be made yet')
}
