import { constants } from 'node:fs'
import { access, readlink, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

/**
 * Where a path leads in a root that is not ours: symbolic links are followed inside of it, for as far as the path exists.
 *
 * @param root a folder of this machine
 * @param path absolute, in that root; so is the answer
 */
export async function resolveIn(root: string, path: string): Promise<string> {
  const ahead = path.split('/')
  let done = '/'
  for (let links = 0; ahead.length > 0; ) {
    const part = ahead.shift()
    if (part === undefined || part === '' || part === '.') continue
    const next = join(done, part)
    const target = part === '..' || links > 40 ? undefined : await readlink(root + next).catch(() => undefined)
    if (target === undefined) {
      done = next
      continue
    }
    links += 1
    if (isAbsolute(target)) done = '/'
    ahead.unshift(...target.split('/'))
  }
  return done
}

/** Why a program cannot be run in a root, as Go's exec.LookPath says it for runc; undefined where it can. */
export async function programFault(
  root: string,
  options: { program: string; path: string; cwd: string },
): Promise<string | undefined> {
  const { program, path, cwd } = options
  if (program.includes('/'))
    return faultOf(root, { name: program, at: isAbsolute(program) ? program : join(cwd, program) })
  for (const folder of path.split(':')) {
    const at = join(isAbsolute(folder) ? folder : join(cwd, folder), program)
    if ((await faultOf(root, { name: program, at })) === undefined) return undefined
  }
  return 'executable file not found in $PATH'
}

async function faultOf(root: string, { name, at }: { name: string; at: string }): Promise<string | undefined> {
  const real = root + (await resolveIn(root, at))
  const found = await stat(real).catch(() => undefined)
  if (found === undefined) return `stat ${name}: no such file or directory`
  if (found.isDirectory()) return 'is a directory'
  const allowed =
    (found.mode & 0o111) !== 0 ||
    (await access(real, constants.X_OK).then(
      () => true,
      () => false,
    ))
  return allowed ? undefined : 'permission denied'
}
