import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Mount } from '../runtime.ts'
import { exitOf } from './exit.ts'
import type { Images } from './images.ts'
import { resolveIn } from './lookup.ts'
import { environmentWords, type Isolation, type Launch, type Place, toolEnvironment } from './place.ts'
import { killAllIn } from './processes.ts'
import { devices } from './skeleton.ts'
import { findTools } from './tools.ts'

const run = promisify(execFile)

/**
 * Containers where root may not make namespaces, as in a container of Docker's: a copy of a small userland.
 *
 * What it cannot give: a /proc, other process ids (so a container's "process 1" is replaced in the words of commands), a
 * hostname, memory that is shared by mounts: a volume is copied to the container, and back when it has ended. A part of a
 * volume that is mounted as well is a link to its place in that.
 */
export async function chroots({ images, folder: state }: { images: Images; folder: string }): Promise<Isolation> {
  const made = new Map<string, Promise<string>>()
  const preparedFor = async (image: string): Promise<string> => {
    const imageRoot = await images.smallRootOf(image)
    const prepared = made.get(imageRoot) ?? prepare(join(state, `chroot-${made.size}`), imageRoot)
    made.set(imageRoot, prepared)
    return prepared
  }
  const { env, nsenter } = await findTools(['cp', 'env', 'nsenter', 'script', 'setpriv', 'stty'])
  return async (launch) => {
    const { spec, user, folder } = launch
    const root = join(folder, 'root')
    const cwd = await fill(root, launch, await preparedFor(spec.image))
    // chroot(1) knows no working directory, and an image may have no shell that does.
    const ids = ['-G', `${user.gid}`, '-S', `${user.uid}`]
    // A shell says that it is where it was told to be, also where a link led there.
    const where = cwd === posix.resolve('/', spec.workingDir ?? '') ? [] : [env, `PWD=${spec.workingDir}`]
    const toRoot = [...where, nsenter, `--root=${root}`, `--wd=${root}${cwd}`, ...ids, '--']
    let pid = 0
    return {
      view: root,
      cwd,
      within: [],
      leading: [],
      toRoot,
      words: (command) => command.map((word) => word.replaceAll(/\bUSR1 1\b/g, `USR1 ${pid}`)),
      go: () => {
        const child = spawnFirst(launch, toRoot)
        pid = child.pid ?? 0
        return { pid, exitCode: exitOf(child) }
      },
      ready: async () => {},
      abandon: async () => {},
      clean: async (sessions) => {
        await killAllIn(root, new Set([...sessions, pid]))
        for (const { from, at, readOnly } of spec.mounts) {
          if (!readOnly && wholeOf(from, spec.mounts) === undefined)
            await run('cp', ['-a', `${root}${await resolveIn(root, at)}/.`, from])
        }
      },
    } satisfies Place
  }
}

function spawnFirst(launch: Launch, toRoot: readonly string[]): ChildProcess {
  const words = ['--pdeathsig', 'KILL', ...environmentWords(launch.env), ...toRoot, ...launch.command]
  return spawn('setpriv', words, {
    detached: true,
    env: toolEnvironment(),
    stdio: [launch.stdin ?? 'ignore', launch.stdout, launch.stderr],
  })
}

/** Makes the container's root from a prepared one; gives its working directory. */
async function fill(root: string, { spec }: Launch, prepared: string): Promise<string> {
  await run('cp', ['-a', prepared, root])
  const cwd = await resolveIn(root, spec.workingDir ?? '/')
  // Those first that others lie in.
  for (const { from, at } of spec.mounts.toSorted((one, other) => one.from.length - other.from.length)) {
    const to = root + (await resolveIn(root, at))
    const whole = wholeOf(from, spec.mounts)
    if (whole === undefined) {
      await mkdir(to, { recursive: true })
      await run('cp', ['-a', `${from}/.`, to])
    } else {
      await rm(to, { recursive: true, force: true })
      await mkdir(dirname(to), { recursive: true })
      await symlink(join(await resolveIn(root, whole.at), relative(whole.from, from)), to)
    }
  }
  // Where a mount is a link, in the place that this leads to: outside of the root it would lead elsewhere.
  const real = await resolveIn(root, cwd)
  await mkdir(root + real, { recursive: true })
  return real
}

/** The mount that has all that this one shows. */
function wholeOf(from: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts.find((other) => /^(?!\.\.(\/|$))./.test(relative(other.from, from)))
}

/** Makes of an image's root what is the same in all its containers. */
async function prepare(prepared: string, imageRoot: string): Promise<string> {
  await run('cp', ['-a', imageRoot, prepared])
  await Promise.all(['dev/shm', 'tmp', 'proc'].map((name) => mkdir(join(prepared, name), { recursive: true })))
  await Promise.all(['dev/shm', 'tmp'].map((name) => chmod(join(prepared, name), 0o1777)))
  // Where devices cannot be made there are none.
  await run('cp', ['-a', ...devices.map((name) => `/dev/${name}`), join(prepared, 'dev')]).catch(() => {})
  return prepared
}
