import { randomBytes } from 'node:crypto'
import { environment, folder, sh } from './programs.ts'
import { until } from './wait.ts'

/** A terminal with a bash in it, whose prompt is `here>`. */
export interface Terminal extends AsyncDisposable {
  /** Types a line, and Return. */
  type(line: string): Promise<void>
  /** Presses a key, by tmux's name for it: `C-c`. */
  key(name: string): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** What is to be seen, and what has scrolled away. */
  screen(options?: { escapes?: boolean }): Promise<string>
  /** Waits until the screen shows it, on which lines end without blanks. */
  shows(what: RegExp, options?: { escapes?: boolean; within?: number }): Promise<void>
}

export async function openTerminal(kubeconfig: string): Promise<Terminal> {
  const socket = `kuberun-e2e-${randomBytes(4).toString('hex')}`
  const env = { ...environment({ KUBECONFIG: kubeconfig }), TMUX: undefined }
  const tmux = async (...words: string[]): Promise<string> => {
    const ended = await sh(`tmux -L ${socket} -f /dev/null "$@"`, { words, env })
    if (ended.code !== 0) throw new Error(`tmux ${words.join(' ')}: ${ended.stderr}`)
    return ended.stdout
  }
  await tmux(
    'new-session',
    '-d',
    '-x',
    '100',
    '-y',
    '30',
    '-c',
    folder,
    `env PS1='here>' bash --norc --noprofile`,
    ';',
    'set',
    '-g',
    'status',
    'off',
  )
  const screen = async ({ escapes = false } = {}): Promise<string> => {
    const text = await tmux('capture-pane', '-p', '-S', '-200', ...(escapes ? ['-e'] : []))
    return text.trimEnd()
  }
  const terminal: Terminal = {
    type: async (line) => {
      await tmux('send-keys', '-l', line)
      await tmux('send-keys', 'Enter')
    },
    key: async (name) => void (await tmux('send-keys', name)),
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', String(columns), '-y', String(rows))),
    screen,
    shows: async (what, { escapes = false, within = 20_000 } = {}) => {
      let last = ''
      await until(`${what}`, async () => what.test((last = await screen({ escapes }))), { within }).catch((cause) => {
        throw new Error(`the terminal does not show ${what}, but:\n${last}`, { cause })
      })
    },
    [Symbol.asyncDispose]: async () => void (await sh(`tmux -L ${socket} kill-server`)),
  }
  await terminal.shows(/^here>$/)
  return terminal
}
