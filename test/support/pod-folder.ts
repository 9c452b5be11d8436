import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import type { ConnectRequest, KubeClient } from '../../src/kube/client.ts'
import type { Shell } from '../../src/pod/shell.ts'
import { syncPath } from '../../src/pod/workspace.ts'
import { encodePath } from '../../src/sync/path.ts'
import { remoteScript } from '../../src/sync/remote/remote-script.ts'
import { searchPath } from './environment.ts'
import { ExecStream, exited } from './scripted-exec.ts'
import { socketPair } from './socket-pair.ts'
import { tars } from './tars.ts'
import { removeTree } from './trees.ts'

/** The programs of an image: GNU's, or BusyBox's. */
export const toolsets = tars.map(({ name, skip }) => ({ name: name.replace(' tar', ''), skip }))
export type Toolset = (typeof toolsets)[number]['name']

const programs = [
  'sh',
  'tar',
  'dd',
  'mv',
  'rm',
  'mkdir',
  'rmdir',
  'ln',
  'cat',
  'chmod',
  'gzip',
  'find',
  'stat',
  'sha256sum',
]

export interface PodFolderOptions {
  /** GNU where not given. */
  tools?: Toolset | undefined
  /** Of these the image has none. */
  without?: readonly string[]
  /** As whom its processes run, where that is another user than ours. */
  uid?: number | undefined
}

/** What of a container a sync sees: a folder in the place of its volume, and the programs of its image. */
export class PodFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'kuberun-pod-'))
  /** The remote root. */
  readonly root = join(this.path, 'volume/root')
  readonly bin = join(this.path, 'bin')
  /** The requests for an exec that came to {@link client}. */
  connects = 0
  /** Of the next exec, the bytes of stdin that arrive before its connection breaks. */
  cutAfter: number | undefined
  readonly #uid: number | undefined
  /** What the execs run, until they have ended. */
  readonly #running = new Set<Promise<unknown>>()

  constructor({ tools = 'GNU', without = [], uid }: PodFolderOptions = {}) {
    mkdirSync(this.root, { recursive: true })
    this.#uid = uid
    if (uid !== undefined) {
      chmodSync(this.path, 0o755)
      for (const path of [join(this.path, 'volume'), this.root]) chownSync(path, uid, uid)
    }
    mkdirSync(this.bin)
    for (const program of programs.filter((name) => !without.includes(name))) {
      const real = tools === 'BusyBox' ? 'busybox' : program
      symlinkSync(locate(real), join(this.bin, program))
    }
  }

  /** Starts a command of an exec there. */
  spawn([program = '', ...words]: readonly string[]): ChildProcessWithoutNullStreams {
    const here = words.map((word) => word.replaceAll(syncPath, join(this.path, 'volume')))
    // A bash whose stdin is a socket, as our pipes are, reads the user's .bashrc: there must be none.
    const child = spawn(locate(program), here, {
      env: { PATH: this.bin, HOME: '/' },
      // As a runtime starts it: it leads a session.
      detached: true,
      ...(this.#uid !== undefined && { uid: this.#uid, gid: this.#uid }),
    })
    child.stdin.on('error', () => {})
    return child
  }

  /** Starts the remote script. */
  startScript(shell: Shell): ChildProcessWithoutNullStreams {
    return this.spawn([...shell.command, '-c', shell.setup + remoteScript, 'kuberun-sync'])
  }

  /** Runs the remote script on an input that ends. */
  async converse(shell: Shell, input: Buffer): Promise<Conversation> {
    const child = this.startScript(shell)
    child.stdin.end(input)
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { lines: stdout.split('\n').slice(0, -1), stderr }
  }

  /** A cluster that gives execs in here, and nothing else. */
  get client(): KubeClient {
    return {
      namespace: 'dev',
      request: refuse,
      watch: refuse,
      close: () => {},
      connect: (request) => this.#connect(request),
    }
  }

  /** Resolves when no exec runs any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  [Symbol.dispose](): void {
    removeTree(this.path)
  }

  async #connect({ query }: ConnectRequest) {
    this.connects += 1
    const pair = await socketPair()
    pair.client.pause()
    const child = this.spawn(query?.['command'] as string[])
    const stream = new ExecStream(pair.server, new Socket())
    const cut = this.cutAfter
    this.cutAfter = undefined
    if (cut === undefined) stream.feed(child.stdin)
    else stream.feedSome(child.stdin, cut, () => pair.server.terminate())
    const copies = [stream.copy(1, child.stdout), stream.copy(2, child.stderr)]
    const run = once(child, 'close').then(async ([code]) => {
      this.#running.delete(run)
      await Promise.all(copies)
      await stream.end(exited(code as number))
    })
    this.#running.add(run)
    pair.client.once('close', () => void pair[Symbol.asyncDispose]())
    return pair.client
  }
}

function refuse(): never {
  throw new Error('nobody should ask for this')
}

function locate(program: string): string {
  const found = searchPath.split(delimiter).find((folder) => existsSync(join(folder, program)))
  return join(found ?? '/', program)
}

export interface Conversation {
  /** What it said on stdout. */
  lines: string[]
  stderr: string
}

export interface RawRequest {
  commands: readonly string[]
  archives?: readonly Buffer[]
}

/** A request as it goes over the wire, its archives in frames of this size. */
export function rawRequest(
  number: number,
  { commands, archives = [] }: RawRequest,
  { zip = false, frame = 100_000 } = {},
): Buffer {
  const script = encodePath([...commands, `end ${number}`].join(' &&\n'))
  const parts = [Buffer.from(`${number} ${script.length}\n`), script]
  for (const archive of archives) {
    for (let at = 0; at < archive.length; at += frame) {
      const piece = archive.subarray(at, at + frame)
      const body = zip ? gzipSync(piece) : piece
      parts.push(Buffer.from(`${body.length}${zip ? ' z' : ''}\n`), body)
    }
    parts.push(Buffer.from('0\n'))
  }
  return Buffer.concat([...parts, Buffer.from(`end ${number}\n`)])
}
