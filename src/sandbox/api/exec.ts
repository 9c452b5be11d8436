import type { Readable } from 'node:stream'
import type { PodContainer } from '../kubelet/pod-container.ts'
import type { ProcessEnd } from '../runtime.ts'
import type { Channels } from './channels.ts'
import { isSet } from './containers.ts'

/** How long output may be quiet when the process has ended: a child that it left may hold it open for ever. */
const quiet = 200

/** Runs a command beside a container's own, its streams over the channels. */
export async function exec(query: URLSearchParams, { running }: PodContainer, channels: Channels): Promise<ProcessEnd> {
  if (running === undefined) throw new Error('container not found')
  const command = query.getAll('command')
  const process = await running.exec({ command, stdin: isSet(query, 'stdin'), tty: isSet(query, 'tty') })
  channels.feed(process.stdin, (size) => process.resize(size))
  const outputs = [process.stdout, ...(process.stderr ? [process.stderr] : [])]
  // It goes on without its client, as on a real node, and hears of it when it reads or writes.
  void channels.closed.then(() => {
    process.stdin?.end()
    for (const output of outputs) output.destroy()
  })
  const copies = new Copies()
  const copying = Promise.all(outputs.map((output, index) => copies.copy(output, index === 0 ? 1 : 2, channels)))
  const end = await process.ended
  await Promise.race([copying, copies.quiet(quiet)])
  for (const output of outputs) output.destroy()
  return end
}

/** Copies output, and knows when there was none for a while. */
class Copies {
  #sending = 0
  #last = performance.now()

  async copy(source: Readable, number: 1 | 2, channels: Channels): Promise<void> {
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        this.#sending++
        await channels.output(number, chunk)
        this.#sending--
        this.#last = performance.now()
      }
    } catch {
      // Destroyed from here, or broken from there: there is no more.
    }
  }

  async quiet(milliseconds: number): Promise<void> {
    this.#last = performance.now()
    while (this.#sending > 0 || performance.now() - this.#last < milliseconds) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds / 4).unref())
    }
  }
}
