import { close as closeWithCallback, constants, open as openWithCallback } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { makePipes } from './make-pipes.ts'

// Plain descriptors: a FileHandle would close what a socket or a child owns by then.
const open = promisify(openWithCallback)
const close = promisify(closeWithCallback)

/** When as few are left, more are made. */
const reserve = 8

/** A pipe between us and a process. */
export interface Pipe {
  ours: Socket
  /** The process's end, to be closed here once the process has it. It blocks, as processes expect. */
  theirs: number
  closeTheirs(): Promise<void>
  /** Closes what else is open here. */
  close(): Promise<void>
}

/** Gives pipes, made in advance: making some takes a process. */
export class Pipes implements AsyncDisposable {
  readonly #ready: number[] = []
  #more: Promise<void> | undefined

  /**
   * A pipe that the process reads.
   *
   * @param neverEnds the process sees no end when ours is ended, but when the pipe is closed
   */
  async toProcess({ neverEnds = false } = {}): Promise<Pipe> {
    const pipe = await this.#take()
    const theirs = await reopen(pipe, constants.O_RDONLY)
    const fd = await reopen(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    const held = neverEnds ? await reopen(pipe, constants.O_WRONLY) : undefined
    await close(pipe)
    const ours = new Socket({ fd, readable: false, writable: true })
    // Who writes is told by a write that fails, and need not listen.
    ours.on('error', () => {})
    return {
      ours,
      theirs,
      closeTheirs: () => close(theirs),
      close: async () => {
        ours.destroy()
        if (held !== undefined) await close(held)
      },
    }
  }

  /** A pipe that the process writes. */
  async fromProcess(): Promise<Pipe> {
    const pipe = await this.#take()
    const theirs = await reopen(pipe, constants.O_WRONLY)
    const ours = new Socket({ fd: pipe, readable: true, writable: false })
    return { ours, theirs, closeTheirs: () => close(theirs), close: async () => void ours.destroy() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#more
    await Promise.all(this.#ready.splice(0).map((pipe) => close(pipe)))
  }

  async #take(): Promise<number> {
    for (;;) {
      const pipe = this.#ready.shift()
      if (this.#ready.length < reserve) this.#more ??= this.#make()
      if (pipe !== undefined) return pipe
      await this.#more
    }
  }

  async #make(): Promise<void> {
    try {
      this.#ready.push(...(await makePipes()))
    } finally {
      this.#more = undefined
    }
  }
}

/** Another end of a pipe, by one that we have: Linux opens the pipe itself. */
async function reopen(pipe: number, flags: number): Promise<number> {
  return open(`/proc/self/fd/${pipe}`, flags)
}
