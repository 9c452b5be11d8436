import { defaultImage, defaultToolsImage, type RunOptions, type SyncOptions } from '../../src/options.ts'

/** The options of a run as the command line makes them from no flags at all: test/plugins/validate.test.ts compares. */
export function runOptions(command: readonly string[], setup: Partial<RunOptions> = {}): RunOptions {
  return {
    program: 'kuberun',
    command,
    shell: 'auto',
    cluster: { asGroup: [], requestTimeout: 60_000 },
    pod: podOptions(),
    stdin: true,
    tty: 'auto',
    quiet: false,
    podRunningTimeout: 300_000,
    gracePeriod: 10_000,
    rm: 'always',
    verbosity: 0,
    ...setup,
  }
}

/** What of them is about the pod. */
export function podOptions(setup: Partial<RunOptions['pod']> = {}): RunOptions['pod'] {
  return {
    image: defaultImage,
    imagePullPolicy: 'IfNotPresent',
    env: [],
    labels: {},
    annotations: {},
    limits: {},
    requests: {},
    nodeSelector: {},
    tolerations: [],
    overrideType: 'merge',
    deadline: 86_400_000,
    orphanTimeout: 60_000,
    tools: 'auto',
    toolsImage: defaultToolsImage,
    record: false,
    ...setup,
  }
}

/** A folder of which all goes up, whatever git says. */
export function syncOptions(dir: string, more: Partial<SyncOptions> = {}): SyncOptions {
  return {
    dir,
    remoteDir: '/workspace',
    exclude: [],
    include: [],
    ignore: false,
    maxUpload: 1e9,
    once: false,
    strict: false,
    ...more,
  }
}
