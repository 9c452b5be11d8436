import { loadClusterConfig } from '../kube/kubeconfig.ts'
import { type RunOptions, validate } from '../options.ts'
import { podManifest } from '../pod/manifest.ts'
import type { RunPod } from '../pod/run-pod.ts'
import { withTools } from '../pod/tools.ts'
import { planRun } from './plan.ts'

/** The pod that a run would make; the cluster is not touched. */
export async function dryRun(options: RunOptions): Promise<RunPod> {
  validate(options)
  const { manifest } = planRun(options, {
    namespace: (await loadClusterConfig(options.cluster, process.env)).namespace,
    tty: false,
  })
  const { tools, toolsImage: image, orphanTimeout } = options.pod
  const pod = podManifest(manifest)
  return tools === 'always' ? withTools(pod, { image, orphanTimeout }) : pod
}
