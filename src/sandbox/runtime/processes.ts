import { readdir, readFile, readlink } from 'node:fs/promises'

/** When a process was started, in the kernel's own unit; undefined where there is none. Tells it from a later namesake. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[19]
}

/** Whether there is no such process, or one that only waits to be waited for. */
export async function hasEnded(pid: number): Promise<boolean> {
  const state = (await statOf(pid))?.[0]
  return state === undefined || state === 'Z' || state === 'X'
}

/**
 * Kills the processes whose root is this folder or below it, or that belong to one of the sessions, until there is none.
 * The root of another user's process is told only to who may trace it, hence the sessions.
 */
export async function killAllIn(folder: string, sessions: ReadonlySet<number> = new Set()): Promise<void> {
  for (;;) {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid)
    const found = await Promise.all(pids.map(async (pid) => ((await isIn(pid, folder, sessions)) ? [pid] : [])))
    if (found.flat().length === 0) return
    for (const pid of found.flat()) kill(pid)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Signals a process that may have ended. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

async function isIn(pid: number, folder: string, sessions: ReadonlySet<number>): Promise<boolean> {
  const fields = await statOf(pid)
  // One that has ended keeps its session until it is waited for.
  if (fields === undefined || fields[0] === 'Z') return false
  if (sessions.has(Number(fields[3]))) return true
  const root = await readlink(`/proc/${pid}/root`).catch(() => '')
  return root === folder || root.startsWith(`${folder}/`)
}

/** The fields of /proc/PID/stat behind the program's name, which may hold anything: state, parent, group, session … */
async function statOf(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}
