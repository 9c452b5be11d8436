import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Container, type ContainerSpec, type Runtime, StartError } from '../runtime.ts'
import { faultIn, LocalContainer } from './container.ts'
import type { Images } from './images.ts'
import { resolveIn } from './lookup.ts'
import { Pipes } from './pipes.ts'
import type { Isolation, Place } from './place.ts'
import { removeFolder } from './state.ts'
import { environmentOf, userOf } from './user.ts'

/** Makes containers of local processes, in one isolation. */
export class LocalRuntime implements Runtime {
  readonly folder: string
  readonly #images: Images
  readonly #isolation: Isolation
  readonly #pipes = new Pipes()
  readonly #containers = new Set<Container>()
  #count = 0

  constructor(options: { folder: string; images: Images; isolation: Isolation }) {
    this.folder = options.folder
    this.#images = options.images
    this.#isolation = options.isolation
  }

  async start(spec: ContainerSpec): Promise<Container> {
    const command = spec.command.length > 0 ? spec.command : ['sh']
    const root = await this.#images.rootOf(spec.image)
    await refuseNoFolder(root, spec.workingDir)
    const user = await userOf(spec, root)
    const env = environmentOf(spec, user)
    const folder = join(this.folder, `container-${this.#count++}`)
    const [stdout, stderr] = await Promise.all([this.#pipes.fromProcess(), this.#pipes.fromProcess(), mkdir(folder)])
    const stdin = spec.stdin ? await this.#pipes.toProcess() : undefined
    const pipes = { stdout, stderr }
    try {
      const descriptors = { stdout: stdout.theirs, stderr: stderr.theirs, ...(stdin && { stdin: stdin.theirs }) }
      const place = await this.#isolation({ spec, user, folder, command, env, ...descriptors })
      await refuseFault(place, env, command)
      const logged = Promise.all(
        (['stdout', 'stderr'] as const).map((name) => tell(pipes[name].ours, (data) => spec.onOutput(name, data))),
      )
      const first = place.go()
      const container = new LocalContainer({ spec, env, place, first, folder, pipes: this.#pipes, stdin, logged })
      this.#containers.add(container)
      void container.ended.then(() => this.#containers.delete(container))
      return container
    } catch (error) {
      await Promise.all([stdin?.close(), stdout.close(), stderr.close(), removeFolder(folder)])
      throw error
    } finally {
      await Promise.all([stdin?.closeTheirs(), stdout.closeTheirs(), stderr.closeTheirs()])
    }
  }

  /** Ends all containers. */
  async close(): Promise<void> {
    const containers = [...this.#containers]
    for (const container of containers) container.signal('KILL')
    await Promise.all(containers.map(({ ended }) => ended))
    await this.#pipes[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await removeFolder(this.folder)
  }
}

/** One that is not there is made; a file cannot be one. */
async function refuseNoFolder(root: string, workingDir = '/'): Promise<void> {
  const found = await stat(root + (await resolveIn(root, workingDir))).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return
  throw new StartError(`${createFailed}: mkdir ${workingDir}: not a directory`)
}

async function refuseFault(place: Place, env: Readonly<Record<string, string>>, command: readonly string[]) {
  const fault = await faultIn(place, env, command)
  if (fault === undefined) return
  await place.abandon()
  throw new StartError(`${createFailed}: ${fault}`)
}

const createFailed =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed'

async function tell(stream: AsyncIterable<Buffer>, onData: (data: Buffer) => void): Promise<void> {
  for await (const data of stream) onData(data)
}
