import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { quote } from '../../exec/quote.ts'
import type { ExecOptions, ExecProcess } from '../runtime.ts'
import { endOf } from './exec.ts'
import { exitOf } from './exit.ts'
import type { Pipes } from './pipes.ts'
import { environmentWords, type Place, toolEnvironment } from './place.ts'

/** Starts a process in a container at a terminal of its own, which script(1) makes. */
export async function execAtTerminal(
  place: Place,
  options: ExecOptions & { env: Readonly<Record<string, string>>; pipes: Pipes },
): Promise<ExecProcess & { pid: number | undefined }> {
  // Its end would be a Ctrl-D, which the end of a client's input is not: the process's end is kept open here, too.
  const stdin = await options.pipes.toProcess({ neverEnds: true })
  const stdout = await options.pipes.fromProcess()
  const env = { ...options.env, TERM: 'xterm' }
  const inside = [...environmentWords(env), ...place.toRoot, ...place.words(options.command)]
  const line = `tty >&3; exec 3>&- ${inside.map(quote).join(' ')}`
  const words = [...place.within, 'script', '-q', '-e', '-E', 'always', '-O', '/dev/null', '-c', line]
  const child = spawn(words[0] ?? '', words.slice(1), {
    detached: true,
    env: toolEnvironment(),
    stdio: [stdin.theirs, stdout.theirs, stdout.theirs, 'pipe'],
  })
  const ended = endOf(exitOf(child), [stdout.ours])
  await Promise.all([stdin.closeTheirs(), stdout.closeTheirs()])
  void ended.then(() => stdin.close())
  return {
    pid: child.pid,
    stdin: options.stdin ? stdin.ours : undefined,
    stdout: stdout.ours,
    stderr: undefined,
    ended,
    resize: resizer(place, child.stdio[3] as Readable),
  }
}

/** Sets the size of the terminal whose name is read from a stream: one size after the other. */
function resizer(place: Place, named: Readable): ExecProcess['resize'] {
  let last: Promise<unknown> = once(named, 'data')
  const name = last.then((data) => String(data).trim())
  name.catch(() => {})
  return ({ columns, rows }) => {
    const set = async (): Promise<void> => {
      const words = ['stty', '-F', await name, 'rows', String(rows), 'cols', String(columns)]
      const [program = '', ...rest] = [...place.within, ...words]
      await promisify(execFile)(program, rest, { env: toolEnvironment() })
    }
    // It may have ended.
    last = last.then(set).catch(() => {})
  }
}
