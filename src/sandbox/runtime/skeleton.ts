import { constants, type Dirent } from 'node:fs'
import { access, chmod, chown, copyFile, mkdir, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What is copied to begin a container's root, made once for each image: `root` with its folders and links, and for each
 * folder that is overlaid one in `upper`, with the same owner and mode, and one in `workdir`.
 */
export interface Skeleton {
  folder: string
  imageRoot: string
  /** Folders of the image, as paths without the first slash, that become overlays. */
  overlays: string[]
  /** Files beside these that are too large for a copy. */
  files: string[]
}

/** Folders of a container's own. */
const ownFolders = ['dev', 'proc', 'sys', 'tmp']

/** In bytes. */
const largestCopy = 65_536

/** Devices that every container has. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty']

const links = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
}

/**
 * Makes a skeleton in a new folder: each folder at the top of the image is to be an overlay, but that of an ordinary user
 * cannot be where there are mounts below. There, what is in the folder is looked at in the same way.
 *
 * A folder that we cannot read is an empty one.
 *
 * @param avoided mount points that no overlay may be above
 * @param asRoot folders keep their owners; otherwise they belong to who may write in the container
 */
export async function makeSkeleton(
  folder: string,
  options: { imageRoot: string; avoided: readonly string[]; asRoot: boolean },
): Promise<Skeleton> {
  const skeleton: Skeleton = { folder, imageRoot: options.imageRoot, overlays: [], files: [] }
  await mkdir(join(folder, 'root'), { recursive: true })
  await Promise.all(['upper', 'workdir'].map((name) => mkdir(join(folder, name))))
  const isAvoided = (path: string) => options.avoided.some((mount) => mount.startsWith(`${path}/`))
  await addFolder(skeleton, { path: '', isAvoided, asRoot: options.asRoot })
  await makeOwnFolders(join(folder, 'root'))
  return skeleton
}

interface Step {
  path: string
  asRoot: boolean
  isAvoided(path: string): boolean
}

async function addFolder(skeleton: Skeleton, step: Step): Promise<void> {
  const entries = await readdir(join(skeleton.imageRoot, step.path), { withFileTypes: true })
  for (const entry of entries) {
    const path = join(step.path, entry.name)
    // A file that cannot be read, or is gone by now, is left out.
    if (!ownFolders.includes(path)) await addEntry(skeleton, entry, { ...step, path }).catch(() => {})
  }
}

async function addEntry(skeleton: Skeleton, entry: Dirent, step: Step): Promise<void> {
  const { folder, imageRoot, overlays, files } = skeleton
  const [from, to] = [join(imageRoot, step.path), join(folder, 'root', step.path)]
  if (entry.isSymbolicLink()) await symlink(await readlink(from), to)
  else if (entry.isDirectory()) {
    await mkdir(to)
    await access(from, constants.R_OK | constants.X_OK)
    if (step.isAvoided(from)) return addFolder(skeleton, step)
    await mkdir(join(folder, 'workdir', step.path), { recursive: true })
    await copyFolder(from, join(folder, 'upper', step.path), step.asRoot)
    overlays.push(step.path)
  } else if (entry.isFile()) {
    await access(from, constants.R_OK)
    if ((await stat(from)).size <= largestCopy) return copyFile(from, to)
    await writeFile(to, '')
    files.push(step.path)
  }
}

async function makeOwnFolders(root: string): Promise<void> {
  await Promise.all(ownFolders.map((name) => mkdir(join(root, name))))
  await Promise.all(['dev/shm', 'dev/pts'].map((name) => mkdir(join(root, name))))
  await Promise.all(['tmp', 'dev/shm'].map((name) => chmod(join(root, name), 0o1777)))
  await Promise.all(devices.map((name) => writeFile(join(root, 'dev', name), '')))
  await Promise.all(Object.entries(links).map(([name, target]) => symlink(target, join(root, 'dev', name))))
}

/** The root of an overlay has the owner and the mode of its upper folder. */
async function copyFolder(from: string, to: string, asRoot: boolean): Promise<void> {
  const { mode, uid, gid } = await stat(from)
  await mkdir(to, { recursive: true })
  if (asRoot) await chown(to, uid, gid)
  await chmod(to, mode & 0o7777)
}
