import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { exitOf } from './exit.ts'
import type { Images } from './images.ts'
import { environmentWords, type Isolation, type Launch, type Place } from './place.ts'
import { hasEnded } from './processes.ts'
import { setupOf } from './setup.ts'
import { spawnSetup, untilUp } from './setup-process.ts'
import { makeSkeleton, type Skeleton } from './skeleton.ts'
import { findTools } from './tools.ts'

/** What root may in a container of Docker's and containerd's. */
const capabilities =
  `chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod
audit_write setfcap`.split(/\s+/)

const programs = ['env', 'mount', 'nsenter', 'script', 'setpriv', 'setsid', 'stty', 'unshare'] as const
type Tools = Record<(typeof programs)[number], string>

/**
 * Containers in namespaces.
 *
 * As root there is no user namespace: every uid can be asked for, and root has the capabilities that runtimes leave it.
 * As an ordinary user there are two. In the outer one we are root and mount; the inner one, below it, has the one uid
 * that was asked for, and no power over what the outer one mounted.
 *
 * @param options.folder where skeletons of roots are made
 */
export async function namespaces(options: { images: Images; folder: string; asRoot: boolean }): Promise<Isolation> {
  const { images, folder, asRoot } = options
  const tools = await findTools(programs)
  const skeletons = new Map<string, Promise<Skeleton>>()
  let count = 0
  const skeletonOf = (imageRoot: string): Promise<Skeleton> => {
    const make = async () =>
      makeSkeleton(join(folder, `skeleton-${count++}`), {
        imageRoot,
        avoided: asRoot ? [] : await mountPoints(),
        asRoot,
      })
    const made = skeletons.get(imageRoot) ?? make()
    skeletons.set(imageRoot, made)
    return made
  }
  return async (launch) => {
    const imageRoot = await images.rootOf(launch.spec.image)
    const skeleton = await skeletonOf(imageRoot)
    return begin(launch, { skeleton, tools, asRoot }).catch(async () => {
      // What is mounted on this machine may have changed since.
      if (skeleton === (await skeletons.get(imageRoot))) skeletons.delete(imageRoot)
      return begin(launch, { skeleton: await skeletonOf(imageRoot), tools, asRoot })
    })
  }
}

async function begin(launch: Launch, means: { skeleton: Skeleton; tools: Tools; asRoot: boolean }): Promise<Place> {
  const { tools, asRoot } = means
  const { script, cwd } = await setupOf(launch.spec, { folder: launch.folder, ...means })
  const root = `${launch.folder}/root`
  const first = toRootWords(launch, { tools, asRoot, root, cwd })
  const words = [...environmentWords(launch.env), ...first, ...launch.command]
  const child = spawnSetup(launch, { script, asRoot, words })
  const exitCode = exitOf(child)
  const { pid, parent } = await untilUp(child)
  const target = ['-t', String(parent), '-m', '-u', '-i', `--pid=/proc/${parent}/ns/pid_for_children`]
  const within = [tools.nsenter, ...(asRoot ? [] : ['-U', '--preserve-credentials']), ...target, '--']
  const joining = [tools.nsenter, '-t', String(pid), '-U', '--preserve-credentials', '-r', `--wdns=${cwd}`, '--']
  return {
    cwd,
    view: `/proc/${parent}/root${root}`,
    within,
    leading: [...within, tools.setsid],
    toRoot: asRoot ? first : joining,
    words: (command) => command,
    go: () => {
      child.stdin.end('\n')
      return { pid, exitCode }
    },
    ready: () => untilIn(root, pid),
    abandon: async () => {
      child.stdin.end()
      await exitCode
    },
    clean: async () => {},
  }
}

/** What process 1 goes to its root by, and becomes the user. */
function toRootWords(
  { user }: Launch,
  { tools, asRoot, root, cwd }: { tools: Tools; asRoot: boolean; root: string; cwd: string },
): string[] {
  const into = ['-R', root, '-w', cwd]
  if (!asRoot) return [tools.unshare, `--map-user=${user.uid}`, `--map-group=${user.gid}`, ...into, '--']
  const bounding = `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`
  return [tools.setpriv, bounding, tools.unshare, ...into, '-S', String(user.uid), '-G', String(user.gid), '--']
}

/**
 * Waits until process 1 runs the container's program, or has ended: only then is it in the inner user namespace that others
 * are to join, and only then may its own user look at it. No event tells. Until then its words name its root.
 */
async function untilIn(root: string, pid: number): Promise<void> {
  for (;;) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
    if (words === undefined || (words !== '' && !words.includes(root))) return
    // Between two programs it has none for a moment, and for ever when it has ended.
    if (words === '' && (await hasEnded(pid))) return
    await setTimeout(1)
  }
}

/** Where something is mounted on this machine. */
async function mountPoints(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  return lines.map((line) =>
    (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))),
  )
}
