import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { killAllIn, startTimeOf } from './processes.ts'

const prefix = 'kuberun-sandbox-'

/** Makes the folder of this process's sandbox. Its name says whose it is, so that there is no moment in which it does not. */
export async function makeStateFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${await startTimeOf(process.pid)}-`))
}

/** Removes what sandboxes of this user have left that were killed: processes and folders. (Mounts die with processes.) */
export async function sweep(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix))
  await Promise.all(names.map(sweepFolder))
}

async function sweepFolder(name: string): Promise<void> {
  const folder = join(tmpdir(), name)
  const [pid = '', started] = name.slice(prefix.length).split('-')
  if (!/^\d+$/.test(pid) || (await startTimeOf(Number(pid))) === started) return
  const owner = await stat(folder).catch(() => undefined)
  if (owner === undefined || owner.uid !== process.getuid?.()) return
  await killAllIn(folder)
  await removeFolder(folder)
}

/** Removes a folder that containers wrote to: with folders in it that their owner has closed to himself. */
export async function removeFolder(folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 })
  await remove().catch(async () => {
    await promisify(execFile)('chmod', ['-R', 'u+rwX', folder]).catch(() => {})
    await remove()
  })
}
