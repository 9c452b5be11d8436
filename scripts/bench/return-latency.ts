import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { peakRss } from './measure.ts'

/** How soon a change in the pod is here. */
export interface ReturnLatency {
  /** From when the command is told to write a file until it is here: milliseconds, sorted. */
  times: number[]
  /** Bytes, the highest resident set. */
  rss: number
}

/**
 * Has a command write a file again and again, and looks for it here. One clock, ours: the way of the word to the command
 * is a part of the time, and so is the pause of 2 ms between two looks.
 * @param flags of biwarp, such as `--return-interval=200ms`
 */
export async function measureReturnLatency(
  biwarp: string,
  flags: readonly string[],
  { tree, changes }: { tree: string; changes: number },
): Promise<ReturnLatency> {
  const file = join(tree, 'package-1', 'part-1', 'made')
  const command = 'echo ready; while read -r n; do echo "$n" >package-1/part-1/made; done; rm package-1/part-1/made'
  const child = spawn(biwarp, [...flags, '--dir', tree, command], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await once(createInterface({ input: child.stdout }), 'line')
    const times: number[] = []
    for (let n = 1; n <= changes; n++) {
      // Not in step with anything.
      await sleep(200 + Math.random() * 1_300)
      const begin = performance.now()
      child.stdin.write(`${n}\n`)
      while (contentOf(file) !== `${n}\n`) {
        if (performance.now() - begin > 30_000) throw new Error(`change ${n} did not come within 30 s`)
        await sleep(2)
      }
      times.push(performance.now() - begin)
    }
    return { times: times.toSorted((a, b) => a - b), rss: peakRss(child.pid) }
  } finally {
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
