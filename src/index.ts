export { ApiError, type ApiFailure, type ErrorCode, KuberunError, UsageError } from './errors.ts'
export {
  type BackOptions,
  type ClusterOptions,
  defaultImage,
  defaultMaxUpload,
  defaultRemoteDir,
  defaultToolsImage,
  type EnvVar,
  type PodOptions,
  type RunOptions,
  type SyncOptions,
  type Toleration,
  validate,
} from './options.ts'
export { dryRun } from './run/dry-run.ts'
export type { EndSignal, RunIO, RunResult, RunSignal, SignalSource } from './run/io.ts'
export { kuberun } from './run/kuberun.ts'
export { type WarpPlanOptions, warpPlan } from './run/warp-plan.ts'
