import { isForeground } from '../exec/terminal.ts'
import type { RunOptions } from '../options.ts'
import type { Reporter } from '../pod/reporter.ts'
import type { RunIO } from './io.ts'

/** How the command's streams are connected to ours. */
export interface Connection {
  stdin: boolean
  tty: boolean
}

/**
 * A tty is for a person at a terminal in the foreground, on both ends; a terminal in the background is never read, as
 * job control would stop us.
 */
export function connectionOf(options: RunOptions, io: RunIO, reporter: Reporter): Connection {
  const terminal = io.stdin.isTTY
  const foreground = terminal && isForeground()
  const stdin = options.stdin && (!terminal || foreground)
  if (options.tty === 'auto') {
    return { stdin, tty: stdin && terminal && io.stdout.isTTY && io.stderr.isTTY }
  }
  if (options.tty && !foreground) {
    reporter.warning('no tty is used: stdin is not a terminal, or we are in the background')
  }
  return { stdin, tty: options.tty && foreground }
}
