import { readFileSync, readlinkSync } from 'node:fs'

/**
 * This process, so that a later one of the same machine can tell whether it still lives: the boot, the namespace of
 * process ids, the id and when it started. Empty where the system does not tell (it needs Linux's /proc).
 */
export function thisProcess(): string {
  const where = machine()
  const started = startOf(process.pid)
  return where === undefined || started === undefined ? '' : `${where}/${process.pid}/${started}`
}

/** What is known of a process named by {@link thisProcess}: nothing of another machine's. */
export function lifeOf(name: string): 'lives' | 'ended' | 'unknown' {
  const parts = name.split('/')
  const [started, pid] = [parts.pop(), parts.pop()]
  if (pid === undefined || parts.join('/') !== machine()) return 'unknown'
  return startOf(Number(pid)) === started ? 'lives' : 'ended'
}

function machine(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** When a process started, in the kernel's ticks since boot; undefined for one that is not there. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // After the program's name, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
