import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import type { TerminalSize } from './channels.ts'

/** Whether this process may read from its terminal and change its mode: job control stops one in the background. */
export function isForeground(): boolean {
  if (process.platform === 'win32') return true
  try {
    // After the program's name, which may hold anything: state ppid pgrp session tty_nr tpgid
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[2] === fields[5]
  } catch {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(process.pid)], { encoding: 'utf8' })
    return stdout?.includes('+') ?? false
  }
}

/** The terminal in raw mode: every key is the remote side's. Disposing of it gives the mode back, whatever happened. */
export class RawMode implements Disposable {
  readonly #stdin: ReadStream

  constructor(stdin: ReadStream) {
    this.#stdin = stdin
    stdin.setRawMode(true)
  }

  /** Sets the mode again after the shell has stopped and continued us with its own. */
  renew(): void {
    this.#stdin.setRawMode(false)
    this.#stdin.setRawMode(true)
  }

  [Symbol.dispose](): void {
    this.#stdin.setRawMode(false)
  }
}

/** The size of our terminal. One of the outputs may go elsewhere; stdin does not know the size. */
export function terminalSize(outputs: { stdout: WriteStream; stderr: WriteStream }): TerminalSize {
  for (const { columns, rows } of [outputs.stdout, outputs.stderr]) {
    if (columns > 0 && rows > 0) return { columns, rows }
  }
  // What programs take where there is none: the wrapper would wait for one in vain.
  return { columns: 80, rows: 24 }
}
