import { setTimeout as sleep } from 'node:timers/promises'
import { KuberunError } from '../errors.ts'
import type { CommandEnd } from '../exec/command.ts'
import type { RunningCommand } from '../exec/start.ts'
import { isForeground, RawMode, terminalSize } from '../exec/terminal.ts'
import { isOver } from '../pod/ending.ts'
import type { PodObserver } from '../pod/observer.ts'
import type { Interrupts } from './interrupts.ts'
import type { RunIO } from './io.ts'
import { type OutputPump, pumpInput } from './pump.ts'
import { waitFor } from './wait.ts'

/** How long the stream of a container that has ended may take to say so. */
const frozenStream = 5_000

export interface Attendance {
  command: RunningCommand
  io: RunIO
  stdout: OutputPump
  stderr: OutputPump
  tty: boolean
  observer: PodObserver
  interrupts: Interrupts
}

/**
 * Connects a running command to our streams until it has ended.
 *
 * @returns how its stream ended: an error where the connection was lost, undefined where the container was over before
 * @throws {KuberunError} `stdio` when stdin cannot be read or the output cannot be written here
 */
export async function attend(attendance: Attendance): Promise<CommandEnd | KuberunError | undefined> {
  const { command, io, tty, observer, interrupts } = attendance
  const over = new AbortController()
  using _terminal = tty ? attachTerminal(attendance) : watchForeground(attendance)
  const input = command.input && pumpInput(io.stdin, command.input, over.signal)
  try {
    const ways = [copyOutput(attendance), containerOver(observer, AbortSignal.any([interrupts.signal, over.signal]))]
    return await Promise.race(input === undefined ? ways : [...ways, failureOf(input)])
  } finally {
    over.abort()
  }
}

function attachTerminal({ command: { exec, input }, io, interrupts }: Attendance): Disposable {
  // Without an input the keys are ours: Ctrl-C has to reach us as a signal.
  const raw = input && new RawMode(io.stdin)
  const onKeys = (data: Buffer): void => interrupts.keys(data)
  if (input !== undefined) io.stdin.on('data', onKeys)
  const resize = (): void => exec.resize(terminalSize(io))
  resize()
  const stopListening = io.signals.on((signal) => {
    if (signal === 'WINCH') resize()
    if (signal === 'CONT') raw?.renew()
  })
  return {
    [Symbol.dispose]: () => {
      stopListening()
      io.stdin.off('data', onKeys)
      raw?.[Symbol.dispose]()
    },
  }
}

/** Continued in the background, we must not read the terminal any more: job control would stop us for it. */
function watchForeground({ command, io }: Attendance): Disposable {
  const stopListening = io.signals.on((signal) => {
    if (signal !== 'CONT' || command.input === undefined || !io.stdin.isTTY) return
    if (isForeground()) io.stdin.resume()
    else io.stdin.pause()
  })
  return { [Symbol.dispose]: stopListening }
}

async function copyOutput({ command, stdout, stderr }: Attendance): Promise<CommandEnd | KuberunError> {
  try {
    for (;;) {
      const next = await command.output.next()
      if (next.done) return next.value
      if (next.value === 'started') continue
      await (next.value.channel === 1 ? stdout : stderr).write(next.value.data)
    }
  } catch (error) {
    if (error instanceof KuberunError && error.code !== 'stdio') return error
    throw error
  }
}

/** A stream can stay open, frozen, after its container has ended. */
async function containerOver(observer: PodObserver, signal: AbortSignal): Promise<undefined> {
  try {
    while (!observer.deleted && !isOver(observer.pod)) await waitFor(observer.change(), { signal })
  } catch {
    if (signal.aborted) return undefined
    // No watch, no such knowledge: the stream has to tell alone.
    return new Promise(() => {})
  }
  await sleep(frozenStream, undefined, { signal }).catch(() => {})
  return undefined
}

/** Rejects when the promise does, and never resolves. */
function failureOf(promise: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    promise.catch(reject)
  })
}
