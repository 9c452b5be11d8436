import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What one run of a command line cost. */
export interface Sample {
  /** Milliseconds, of the whole process. */
  time: number
  /** Bytes, the highest resident set; 0 where the system does not tell. */
  rss: number
  failed: boolean
}

export interface MeasureOptions {
  /** Takes the time from the first output on, instead of from the start. */
  fromOutput?: boolean | undefined
}

/** Runs a command line of sh and measures it. */
export async function measure(line: string, { fromOutput = false }: MeasureOptions = {}): Promise<Sample> {
  let begin = performance.now()
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', fromOutput ? 'pipe' : 'ignore', 'inherit'] })
  child.stdout?.once('data', () => (begin = performance.now())).resume()
  let rss = 0
  const sampler = setInterval(() => {
    rss = Math.max(rss, peakRss(child.pid))
  }, 20)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve)
  })
  clearInterval(sampler)
  return { time: performance.now() - begin, rss, failed: code !== 0 }
}

/** Of the process itself: the lines that are measured for memory begin with `exec`. */
export function peakRss(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

export interface Comparison {
  ours: string
  theirs: string
  pairs: number
  /** What theirs has left to be tidied up, as ours has done within its time: not measured. */
  tidy?: string | undefined
  /** Of ours, what it does after its first output is what is compared. */
  fromOutput?: boolean | undefined
}

/** The two sides of a comparison, measured in turn, so that both meet the same weather. */
export async function alternate({ ours, theirs, pairs, tidy, fromOutput }: Comparison): Promise<[Sample[], Sample[]]> {
  const samples: [Sample[], Sample[]] = [[], []]
  // The first of each warms caches, the image's among them.
  for (let n = -1; n < pairs; n++) {
    const pair = [await measure(ours, { fromOutput }), await measure(theirs)] as const
    if (tidy !== undefined) await measure(tidy)
    if (n < 0) continue
    samples[0].push(pair[0])
    samples[1].push(pair[1])
  }
  return samples
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}
