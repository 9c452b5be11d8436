import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** What it costs to keep a folder in sync. */
export interface Latency {
  /** From the save of a file here until a loop in the pod has said that it sees it: milliseconds, sorted. */
  times: number[]
  /** Of one core, in percent, while nothing changes. */
  idle: number
  /** Bytes, the highest resident set. */
  rss: number
}

/**
 * Edits a file again and again while a loop in the pod prints what it finds in it. One clock, ours: the way of the line
 * back is a part of the time, and so is the loop's pause of 5 ms.
 */
export async function measureLatency(warp: string, tree: string, edits: number): Promise<Latency> {
  const file = join(tree, 'package-7', 'part-7', 'edited')
  writeFileSync(file, '0\n')
  const loop =
    'l=; while :; do read -r v <package-7/part-7/edited; [ "$v" = "$l" ] || echo "$v"; l=$v; sleep 0.005; done 2>/dev/null'
  const child = spawn(warp, ['--dir', tree, loop], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const seen = async (text: string): Promise<void> => {
    for (;;) if ((await once(lines, 'line'))[0] === text) return
  }
  try {
    await seen('0')
    const times: number[] = []
    for (let n = 1; n <= edits; n++) {
      // Not in step with anything.
      await sleep(200 + Math.random() * 300)
      const seenIt = seen(String(n))
      const begin = performance.now()
      writeFileSync(file, `${n}\n`)
      await seenIt
      times.push(performance.now() - begin)
    }
    const pid = child.pid ?? 0
    const [before, begin] = [ticks(pid), performance.now()]
    await sleep(20_000)
    const idle = (((ticks(pid) - before) / 100) * 100_000) / (performance.now() - begin)
    return { times: times.toSorted((a, b) => a - b), idle, rss: peak(pid) }
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
}

/** CPU time, in hundredths of a second. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

function peak(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
