/**
 * Compares kuberun with kubectl on the current context's cluster, in one run, alternating. Prints a Markdown table.
 *
 *   npm run bench                 all rows; the table goes into BENCHMARKS.md too
 *   npm run bench -- echo stdin   the rows whose names begin so
 *
 * What is in MB is 10^6 bytes. An idle cluster and an idle machine give figures that mean something.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { measureLatency } from './latency.ts'
import { alternate, median, type Sample } from './measure.ts'
import { writeReport } from './report.ts'
import { measureReturnLatency } from './return-latency.ts'
import { makeTree } from './trees.ts'

const image = process.env.KUBERUN_BENCH_IMAGE ?? 'alpine:3.20'
const bytes = 300_000_000
const kuberun = resolve('dist/bin/kuberun')
const warp = resolve('dist/bin/kubectl-warp')
const biwarp = resolve('dist/bin/kubectl-biwarp')
const pod = `kuberun-bench-${process.pid}`
const scratch = mkdtempSync(join(tmpdir(), 'kuberun-bench-'))
const input = join(scratch, 'input')
const manyFiles = join(scratch, 'many')
const fewFiles = join(scratch, 'few')
const oneFile = join(scratch, 'one')
/** The many files as an archive, of which a command makes them there. */
const manyArchive = join(scratch, 'many.tar')
/**
 * Where files come back to: in memory, where that goes. On a disk that the node has too, they would be made while the
 * volumes of the runs before are being emptied, which ext4 makes slow.
 */
const backHere = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kuberun-bench-'))
const tidyBack = `rm -rf ${backHere}/*`
const intoNew = `d=$(mktemp -d ${backHere}/XXXXXX);`
/** Hidden, so that it stays where the volume is tidied. */
const backThere = '/volume/.back'
const run = `kubectl run --image=${image} -i --rm --restart=Never -q`
// The `:` keeps the shell, and with it stdout, open: containerd closes the stdin of a process whose stdout is closed.
const swallow = 'cat >/dev/null; :'
// Into a volume as ours, and removed as ours: ext4 is slow to make files where many have just been deleted.
const volume = JSON.stringify({
  spec: {
    containers: [
      { name: pod, image, command: ['sleep', '3600'], volumeMounts: [{ name: 'volume', mountPath: '/volume' }] },
    ],
    volumes: [{ name: 'volume', emptyDir: {} }],
  },
})
const tidy = `kubectl exec ${pod} -- sh -c 'rm -rf /volume/*'`
const many = (line: string): string => `seq 1 20 | xargs -P20 -I{} sh -c '${line} </dev/null'`

interface Row {
  name: string
  ours: string
  theirs: string
  pairs: number
  /** What ours may cost at most, in theirs. */
  budget: number
  /** Removes what theirs leaves, outside of its time. */
  tidy?: string
  /** Of ours, what it does after its first output is what is compared. */
  fromOutput?: boolean
  /** The same without the bytes: what is left of the difference is the stream's own time. */
  empty?: { ours: string; theirs: string }
}

const rows: Row[] = [
  { name: 'echo', ours: `${kuberun} echo hi`, theirs: `${run} b-$$ -- echo hi`, pairs: 10, budget: 0.25 },
  { name: 'start-up: --help', ours: `${kuberun} --help`, theirs: 'kubectl version --client', pairs: 20, budget: 2.5 },
  {
    name: 'start-up: --version',
    ours: `${kuberun} --version`,
    theirs: 'kubectl version --client',
    pairs: 20,
    budget: 2.5,
  },
  {
    name: 'start-up: usage error',
    ours: `${kuberun} --nosuch 2>/dev/null || test $? -eq 125`,
    theirs: 'kubectl version --client',
    pairs: 20,
    budget: 2.5,
  },
  {
    name: '20 at once',
    ours: many(`${kuberun} echo {}`),
    theirs: many(`${run} b-$$-{} -- echo {}`),
    pairs: 5,
    budget: 0.8,
  },
  {
    name: 'stdin 300 MB',
    ours: `exec ${kuberun} '${swallow}' <${input}`,
    theirs: `exec kubectl exec -i ${pod} -- sh -c '${swallow}' <${input}`,
    pairs: 10,
    budget: 1 / 1.2,
    empty: {
      ours: `${kuberun} '${swallow}' </dev/null`,
      theirs: `kubectl exec -i ${pod} -- sh -c '${swallow}' </dev/null`,
    },
  },
  {
    name: 'stdout 300 MB',
    ours: `exec ${kuberun} 'head -c ${bytes} /dev/zero'`,
    theirs: `exec kubectl exec ${pod} -- head -c ${bytes} /dev/zero`,
    pairs: 10,
    budget: 1 / 1.2,
    empty: { ours: `${kuberun} true`, theirs: `kubectl exec ${pod} -- true` },
  },
  {
    name: 'sync 10,000 files up',
    ours: `exec ${warp} --once --dir ${manyFiles} true`,
    theirs: `exec kubectl cp ${manyFiles} ${pod}:/volume/many`,
    tidy,
    pairs: 5,
    budget: 0.8,
  },
  {
    name: 'sync 300 MB up',
    ours: `exec ${warp} --once --max-upload=1GB --dir ${oneFile} true`,
    theirs: `exec kubectl cp ${oneFile} ${pod}:/volume/one`,
    tidy,
    pairs: 5,
    budget: 0.8,
  },
  // The command makes what comes back, and says so: from then on, its clean-up included.
  {
    name: 'return 10,000 files',
    ours: `${intoNew} exec ${biwarp} --once --dir $d 'tar xf - && echo made' <${manyArchive}`,
    theirs: `${intoNew} exec kubectl cp ${pod}:${backThere}/many $d/many`,
    fromOutput: true,
    tidy: tidyBack,
    pairs: 5,
    budget: 0.8,
  },
  {
    name: 'return 300 MB',
    ours: `${intoNew} exec ${biwarp} --once --dir $d 'head -c ${bytes} /dev/urandom >file && echo made'`,
    theirs: `${intoNew} exec kubectl cp ${pod}:${backThere}/file $d/file`,
    fromOutput: true,
    tidy: tidyBack,
    pairs: 5,
    budget: 0.8,
  },
]
/** Rows of their own kind: nothing of kubectl's is like them. */
const saved = 'save to visible'
const returned = [
  { name: 'return to visible', flags: [], budget: 'p50 ≤ 1.2 s' },
  { name: 'return to visible, every 200 ms', flags: ['--return-interval=200ms'], budget: 'p50 ≤ 400 ms' },
].flatMap((row) => [
  { ...row, tree: fewFiles, size: '100 files' },
  { ...row, tree: manyFiles, size: '10,000 files' },
])

const table: string[] = []
const wanted = process.argv.slice(2)
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((word) => name.startsWith(word))
const chosen = rows.filter(({ name }) => isWanted(name))
try {
  execFileSync('sh', ['-c', `head -c ${bytes} /dev/urandom >${input}`])
  makeTree(manyFiles, { folders: 200 })
  makeTree(fewFiles, { folders: 2 })
  mkdirSync(oneFile)
  linkSync(input, join(oneFile, 'file'))
  execFileSync('kubectl', ['run', pod, `--image=${image}`, '--restart=Never', `--overrides=${volume}`])
  execFileSync('kubectl', ['wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=120s'])
  if (chosen.some(({ name }) => name.startsWith('return'))) fillThere()
  print('| what | kuberun | kubectl | ratio | budget | peak memory |\n| --- | --- | --- | --- | --- | --- |')
  for (const row of chosen) await compare(row)
  if (isWanted(saved)) await latency()
  for (const row of returned.filter(({ name }) => isWanted(name))) await returnLatency(row)
  if (chosen.length === rows.length) writeReport(table)
} finally {
  execFileSync('kubectl', ['delete', 'pod', pod, '--ignore-not-found', '--grace-period=1', '--wait=false'])
  for (const folder of [scratch, backHere]) rmSync(folder, { recursive: true, force: true })
}

/** Puts into the volume what kubectl cp is to bring back. */
function fillThere(): void {
  execFileSync('tar', ['-cf', manyArchive, '-C', scratch, 'many'])
  const make = `mkdir ${backThere} && head -c ${bytes} /dev/urandom >${backThere}/file`
  execFileSync('kubectl', ['exec', pod, '--', 'sh', '-c', make])
  execFileSync('kubectl', ['cp', manyFiles, `${pod}:${backThere}/many`])
}

function print(line: string): void {
  console.log(line)
  table.push(line)
}

/** The median and, in brackets, the spread from the quickest to the slowest. */
function times(samples: readonly Sample[]): string {
  const all = samples.map((s) => s.time)
  return `${duration(median(all))} (${duration(Math.min(...all))}-${duration(Math.max(...all))})`
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}

async function compare({ name, budget, empty, ...sides }: Row): Promise<void> {
  const samples = await alternate(sides)
  const [a, b] = samples.map((side) => median(side.map((s) => s.time))) as [number, number]
  const memory = Math.max(...samples[0].map((s) => s.rss)) / 1e6
  const cells = [name, times(samples[0]), times(samples[1]), (a / b).toFixed(2), `≤ ${budget.toFixed(2)}`]
  print(`| ${[...cells, memory > 10 ? `${memory.toFixed(0)} MB` : ''].join(' | ')} |`)
  samples.forEach((side, n) => {
    const failed = side.filter((sample) => sample.failed).length
    if (failed > 0)
      console.error(`${name}: ${failed} of ${side.length} runs of ${n === 0 ? 'kuberun' : 'kubectl'} failed`)
  })
  if (empty === undefined) return
  const [c, d] = (await alternate({ ...empty, pairs: 5 })).map((side) => median(side.map((s) => s.time))) as [
    number,
    number,
  ]
  print(
    `| ${name}, the stream alone | ${rate(bytes, a - c)} | ${rate(bytes, b - d)} | ${((a - c) / (b - d)).toFixed(2)} | | |`,
  )
}

async function latency(): Promise<void> {
  const { times: all, idle, rss } = await measureLatency(warp, manyFiles, 60)
  const at = (part: number): string => `${(all[Math.floor(all.length * part)] ?? 0).toFixed(0)} ms`
  const memory = `${(rss / 1e6).toFixed(0)} MB`
  print(`| ${saved}, 10,000 files | p50 ${at(0.5)}, p95 ${at(0.95)} | | | p50 ≤ 100 ms, p95 ≤ 250 ms | ${memory} |`)
  print(`| idle, 10,000 files watched | ${idle.toFixed(2)} % of a core | | | ≤ 1 % | |`)
}

async function returnLatency({ name, flags, budget, tree, size }: (typeof returned)[number]): Promise<void> {
  const { times: all, rss } = await measureReturnLatency(biwarp, flags, { tree, changes: 40 })
  const at = (part: number): string => duration(all[Math.floor(all.length * part)] ?? 0)
  print(`| ${name}, ${size} | p50 ${at(0.5)}, p95 ${at(0.95)} | | | ${budget} | ${(rss / 1e6).toFixed(0)} MB |`)
}

function rate(size: number, ms: number): string {
  return `${(size / 1000 / ms).toFixed(0)} MB/s`
}
