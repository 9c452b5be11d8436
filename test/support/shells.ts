import { execFileSync } from 'node:child_process'
import type { Shell } from '../../src/pod/shell.ts'

/** The POSIX shells of this machine: what works under all of them works in most images. */
export const shells: readonly { name: string; shell: Shell }[] = [
  ['dash'],
  ['bash'],
  ['bash', '--posix'],
  ['busybox', 'sh'],
]
  .filter(([program = '']) => exists(program))
  .map((command) => ({ name: command.join(' '), shell: { command, setup: '' } }))

function exists(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
