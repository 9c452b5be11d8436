import { readFile } from 'node:fs/promises'
import type { ContainerSpec } from '../runtime.ts'
import { chroots } from './chroot.ts'
import { type ImageRoot, Images } from './images.ts'
import { LocalRuntime } from './local.ts'
import { namespaces } from './namespaces.ts'
import { makeStateFolder, removeFolder, sweep } from './state.ts'

/**
 * How containers are kept apart: in namespaces, as root; in namespaces with a user namespace, as anybody; or only by
 * their root, as root.
 */
export type IsolationName = 'root' | 'user' | 'chroot'

export interface RuntimeOptions {
  /** What images stand for, before what is built in. */
  images?: readonly ImageRoot[]
  /** The best that works here when absent. */
  isolation?: IsolationName
}

/**
 * Opens a runtime for this process, and removes what killed ones have left. Disposing of it ends all containers.
 *
 * @throws {Error} no isolation works here: the message says what is missing for each
 */
export async function openRuntime(options: RuntimeOptions = {}): Promise<LocalRuntime> {
  await sweep()
  const folder = await makeStateFolder()
  const images = new Images(folder, options.images ?? [])
  const faults: string[] = []
  for (const name of options.isolation === undefined ? namesHere() : [options.isolation]) {
    try {
      return await open(name, { folder, images })
    } catch (error) {
      faults.push(`${titles[name]}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  await removeFolder(folder)
  throw new Error(['containers cannot be made on this machine', ...faults, ...(await settings())].join('\n  '))
}

const titles: Record<IsolationName, string> = {
  root: 'in namespaces as root',
  user: 'in a user namespace',
  chroot: 'by chroot',
}

function namesHere(): IsolationName[] {
  return process.getuid?.() === 0 ? ['root', 'user', 'chroot'] : ['user']
}

/** Opens it and runs a first container: whether all that it takes is allowed, only that can tell. */
async function open(name: IsolationName, { folder, images }: { folder: string; images: Images }) {
  const asRoot = name === 'root'
  const isolation = await (name === 'chroot' ? chroots({ images, folder }) : namespaces({ images, folder, asRoot }))
  const runtime = new LocalRuntime({ folder, images, isolation })
  try {
    const container = await runtime.start(probe)
    const { code } = await container.ended
    await container.remove()
    if (code !== 0) throw new Error(`a container that does nothing ended with ${code}`)
    return runtime
  } catch (error) {
    await runtime.close()
    throw error
  }
}

const probe: ContainerSpec = {
  id: 'probe',
  hostname: 'probe',
  image: 'probe',
  command: ['sh', '-c', ':'],
  env: {},
  readOnlyRoot: false,
  mounts: [],
  onOutput: () => {},
}

/** The settings of the kernel that forbid user namespaces. */
async function settings(): Promise<string[]> {
  const forbidding = {
    'kernel.unprivileged_userns_clone': '0',
    'kernel.apparmor_restrict_unprivileged_userns': '1',
    'user.max_user_namespaces': '0',
  }
  const found = Object.entries(forbidding).map(async ([name, value]) => {
    const text = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => '')
    return text.trim() === value ? [`forbidden by the setting ${name}=${value}`] : []
  })
  return (await Promise.all(found)).flat()
}
