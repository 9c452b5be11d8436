import { quote } from '../../exec/quote.ts'
import type { ContainerSpec, Mount } from '../runtime.ts'
import { resolveIn } from './lookup.ts'
import { devices, type Skeleton } from './skeleton.ts'

export interface Setup {
  /** For `sh -c`. It prints "up", its own pid and its parent's, waits for a line, and runs its words. */
  script: string
  /** The working directory, without symbolic links. */
  cwd: string
}

/**
 * The script that builds a container's root, in its namespaces, in a tmpfs: with the last process its files are gone.
 * There is one overlay for each folder at the top, as an overlay of `/` is refused to ordinary users.
 *
 * All mounts are made by one `mount -a`: every program started costs a millisecond. What lies between the root and a
 * mount is made in the upper folders: a folder of the image that is not ours cannot be copied up by an ordinary user.
 *
 * @param folder an empty folder, where the tmpfs is mounted: `root` in it becomes the container's root
 */
export async function setupOf(
  spec: ContainerSpec,
  options: { folder: string; skeleton: Skeleton; asRoot: boolean },
): Promise<Setup> {
  const { folder, skeleton, asRoot } = options
  const place = async (path: string) => resolveIn(skeleton.imageRoot, path)
  const mounts = await Promise.all(spec.mounts.map(async (mount) => ({ ...mount, at: await place(mount.at) })))
  const cwd = await place(spec.workingDir ?? '/')
  const below = ['/etc', cwd, ...mounts.map(({ at }) => at)].map((path) => quote(layerOf(skeleton, path) + path))
  const root = `${folder}/root`
  const overlays = overlayRows(folder, skeleton, { asRoot, readOnly: spec.readOnlyRoot })
  const table = [...overlays.top, ...fileRows(root, skeleton), ...systemRows(root, asRoot), ...mountRows(root, mounts)]
  const lines = [
    'set -e',
    'read -r pid _ _ parent _ </proc/self/stat',
    `mount -t tmpfs -o mode=755 kuberun ${quote(folder)}`,
    `cd ${quote(folder)}`,
    `cp -a ${quote(`${skeleton.folder}/.`)} .`,
    `mkdir -p ${below.join(' ')}`,
    ...etcLines(spec.hostname, layerOf(skeleton, '/etc')),
    `{ echo ${quote(spec.hostname)} >/proc/sys/kernel/hostname; } 2>/dev/null || hostname ${quote(spec.hostname)}`,
    // So that the root is a mount, which `df` and a read-only root need.
    `mount --bind root root`,
    // Deep in this machine folders come and go: one that is not there now is an empty one.
    ...(overlays.nested.length > 0 ? [`${mountAll(overlays.nested)} 2>/dev/null || :`] : []),
    mountAll(table),
    // In a folder that is mounted it can be made only now.
    `[ -d ${quote(`root${cwd}`)} ] || mkdir -p ${quote(`root${cwd}`)}`,
    spec.readOnlyRoot ? 'mount -o remount,bind,ro root' : ':',
    'echo up "$pid" "$parent"',
    'read -r _',
    `exec "$@" ${spec.stdin ? '<&5 5<&-' : '</dev/null'} >&3 2>&4 3>&- 4>&-`,
  ]
  return { script: lines.join('\n'), cwd }
}

/** Where a path that the image may not have is to be made. */
function layerOf(skeleton: Skeleton, path: string): 'upper' | 'root' {
  return skeleton.overlays.some((name) => `${path}/`.startsWith(`/${name}/`)) ? 'upper' : 'root'
}

/** The files that a runtime writes. In the upper folder: an ordinary user cannot change those of the image. */
function etcLines(hostname: string, layer: string): string[] {
  return [
    `echo ${quote(hostname)} >${layer}/etc/hostname`,
    `printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\t%s\\n' ${quote(hostname)} >${layer}/etc/hosts`,
  ]
}

function mountAll(table: readonly string[]): string {
  return `printf '%s\\n' ${table.map(quote).join(' ')} >fstab && mount -a -T fstab`
}

function overlayRows(
  folder: string,
  skeleton: Skeleton,
  { asRoot, readOnly }: { asRoot: boolean; readOnly: boolean },
): { top: string[]; nested: string[] } {
  const options = `${readOnly ? 'ro' : 'rw'}${asRoot ? '' : ',userxattr'}`
  const rowOf = (name: string) => {
    const layers = `lowerdir=${skeleton.imageRoot}/${name},upperdir=${folder}/upper/${name},workdir=${folder}/workdir/${name}`
    return row('overlay', `${folder}/root/${name}`, 'overlay', `${layers},${options}`)
  }
  return {
    top: skeleton.overlays.filter((name) => !name.includes('/')).map(rowOf),
    nested: skeleton.overlays.filter((name) => name.includes('/')).map(rowOf),
  }
}

function fileRows(root: string, { imageRoot, files }: Skeleton): string[] {
  return files.map((name) => bind(`${imageRoot}/${name}`, `${root}/${name}`, readOnlyBind))
}

// What the file system does not allow an ordinary user may not allow either, and says so; these two are never missed.
const readOnlyBind = 'bind,ro,nosuid,nodev'

function systemRows(root: string, asRoot: boolean): string[] {
  return [
    row('proc', `${root}/proc`, 'proc', 'nosuid,nodev,noexec'),
    // Root could change this machine by it. /sys is without control groups: their figures are not the container's.
    bind(`${root}/proc/sys`, `${root}/proc/sys`, 'bind,ro,nosuid,nodev,noexec'),
    asRoot ? bind('/sys', `${root}/sys`, 'bind,ro') : bind('/sys', `${root}/sys`, 'rbind'),
    ...devices.map((name) => bind(`/dev/${name}`, `${root}/dev/${name}`, 'bind')),
    row('devpts', `${root}/dev/pts`, 'devpts', 'newinstance,ptmxmode=0666,mode=0620,nosuid,noexec'),
    // `script`, which runs outside of the root, is to take its terminals from here.
    bind(`${root}/dev/pts`, '/dev/pts', 'bind'),
    row('shm', `${root}/dev/shm`, 'tmpfs', 'mode=1777,size=64m,nosuid,nodev,noexec'),
  ]
}

function mountRows(root: string, mounts: readonly Mount[]): string[] {
  return mounts
    .toSorted((a, b) => a.at.length - b.at.length)
    .map(({ from, at, readOnly }) => bind(from, root + at, `${readOnly ? readOnlyBind : 'bind'},X-mount.mkdir`))
}

function bind(from: string, at: string, options: string): string {
  return row(from, at, 'none', options)
}

/** A row of an fstab: white space and backslashes as octal. */
function row(...fields: [device: string, at: string, type: string, options: string]): string {
  return [...fields.map((field) => field.replace(/[\s\\]/g, escapeOctal)), '0 0'].join(' ')
}

function escapeOctal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}
