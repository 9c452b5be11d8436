import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { exitOf } from './exit.ts'
import type { Images } from './images.ts'
import { environmentWords, type Isolation, type Launch, type Place, toolEnvironment } from './place.ts'
import { setupOf } from './setup.ts'
import { makeSkeleton, type Skeleton } from './skeleton.ts'
import { findTools } from './tools.ts'

type SetupProcess = ChildProcessWithoutNullStreams

/** What root may in a container of Docker's and containerd's. */
const capabilities =
  `chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod
audit_write setfcap`.split(/\s+/)

/**
 * Containers in namespaces.
 *
 * As root there is no user namespace: every uid can be asked for, and root has the capabilities that runtimes leave it.
 * As an ordinary user there are two. In the outer one we are root and mount; the inner one, below it, has the one uid
 * that was asked for, and no power over what the outer one mounted.
 *
 * There are two pid namespaces: what process 1 was told about its parent's death (`--kill-child`) it forgets when its uid
 * changes. So the first process of an outer one, which never changes, dies with us, and the kernel ends all in it.
 */
export async function namespaces(options: { images: Images; folder: string; asRoot: boolean }): Promise<Isolation> {
  const { images, folder: state, asRoot } = options
  const tools = await findTools(['env', 'mount', 'nsenter', 'script', 'setpriv', 'setsid', 'stty', 'unshare'])
  const mounts = await mountPoints()
  const skeletons = new Map<string, Promise<Skeleton>>()
  const skeletonOf = (imageRoot: string): Promise<Skeleton> => {
    const folder = join(state, `skeleton-${skeletons.size}`)
    const made = skeletons.get(imageRoot) ?? makeSkeleton(folder, { imageRoot, avoided: asRoot ? [] : mounts, asRoot })
    skeletons.set(imageRoot, made)
    return made
  }
  return async (launch) => {
    const { spec, user, folder } = launch
    const skeleton = await skeletonOf(await images.rootOf(spec.image))
    const { script, cwd } = await setupOf(spec, { folder, skeleton, asRoot })
    const root = `${folder}/root`
    const bounding = `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`
    const asUser = [tools.unshare, '-R', root, '-w', cwd, '-S', String(user.uid), '-G', String(user.gid), '--']
    const mapped = [tools.unshare, `--map-user=${user.uid}`, `--map-group=${user.gid}`, '-R', root, '-w', cwd, '--']
    const first = asRoot ? [tools.setpriv, bounding, ...asUser] : mapped
    const child = spawnSetup(launch, {
      script,
      asRoot,
      words: [...environmentWords(launch.env), ...first, ...launch.command],
    })
    const { pid, parent } = await untilUp(child)
    const target = ['-t', String(parent), '-m', '-u', '-i', `--pid=/proc/${parent}/ns/pid_for_children`]
    const within = ['nsenter', ...(asRoot ? [] : ['-U', '--preserve-credentials']), ...target, '--']
    const joined = [tools.nsenter, '-t', String(pid), '-U', '--preserve-credentials', '-r', `--wdns=${cwd}`, '--']
    const exitCode = exitOf(child)
    return {
      cwd,
      view: `/proc/${parent}/root${root}`,
      within,
      leading: [...within, 'setsid'],
      toRoot: asRoot ? first : joined,
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
    } satisfies Place
  }
}

/** Starts the set-up script: it says on stdout that it is done, and on stderr why not. */
function spawnSetup(
  launch: Launch,
  options: { script: string; asRoot: boolean; words: readonly string[] },
): SetupProcess {
  // The shell, first in the outer namespace, tells how the container ended; unshare's own --fork tells a KILL as
  // 1 (util-linux 2.38).
  const outer = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--kill-child=KILL']
  const inner = ['unshare', '-m', '-u', '-i', '--pid', '--propagation', 'slave', 'sh', '-c', '"$@"; exit $?', 'sh']
  const first = ['setsid', 'sh', '-c', options.script, 'sh', ...options.words]
  const [program = '', ...words] = [...(options.asRoot ? [] : ['unshare', '-r']), ...outer, ...inner, ...first]
  const child = spawn(program, words, {
    // In a session of its own: Ctrl-C is for us.
    detached: true,
    env: toolEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe', launch.stdout, launch.stderr],
  })
  // The script may have ended before it is told to go on.
  child.stdin?.on('error', () => {})
  return child as SetupProcess
}

/** The process ids that the script prints, process 1's and its parent's. */
async function untilUp(child: SetupProcess): Promise<{ pid: number; parent: number }> {
  let [said, complaint] = ['', '']
  child.stderr.on('data', (data) => (complaint += data))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error(complaint.trim() || 'the set-up of a container ended')))
    child.stdout.on('data', (data) => {
      said += data
      const [, pid, parent] = /^up (\d+) (\d+)\n/.exec(said) ?? []
      if (pid !== undefined) resolve({ pid: Number(pid), parent: Number(parent) })
    })
  })
}

/**
 * Waits until process 1 has its root, or has ended: it is itself, and in the inner user namespace that others are to
 * join, only then. No event tells.
 */
async function untilIn(root: string, pid: number): Promise<void> {
  for (;;) {
    const at = await readlink(`/proc/${pid}/root`).catch((error: NodeJS.ErrnoException) => error.code)
    if (at === root || at === 'ENOENT') return
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
