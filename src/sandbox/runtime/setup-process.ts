import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { type Launch, toolEnvironment } from './place.ts'

export type SetupProcess = ChildProcessWithoutNullStreams

/**
 * Starts the set-up script in its namespaces: it says on stdout that it is done, and on stderr why not.
 *
 * There are two pid namespaces: what process 1 was told about its parent's death (`--kill-child`) it forgets when its uid
 * changes. So the first process of an outer one, which never changes, dies with us, and the kernel ends all in it.
 */
export function spawnSetup(
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
    stdio: ['pipe', 'pipe', 'pipe', launch.stdout, launch.stderr, launch.stdin ?? 'ignore'],
  })
  // The script may have ended before it is told to go on.
  child.stdin?.on('error', () => {})
  return child as SetupProcess
}

/**
 * The process ids that the script prints, process 1's and its parent's.
 *
 * @throws {Error} it has ended instead: with what it wrote to stderr
 */
export async function untilUp(child: SetupProcess): Promise<{ pid: number; parent: number }> {
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
