import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findTool } from './tools.ts'

const run = promisify(execFile)

/** What a container without BusyBox has, as far as it is here. */
const programs =
  `sh cat chmod cp cut date dd df dirname du echo env expr false find grep head hostname id ln ls md5sum mkdir
mkfifo mktemp mv nproc od printf ps pwd readlink rm rmdir sed seq sha256sum sleep sort stat stty tail tar tee test timeout
touch tr true tty uname uniq wc which whoami xargs yes`.split(/\s+/)

/** Makes a root of BusyBox and its applets. */
export async function makeBusyboxRoot(root: string, busybox: string): Promise<void> {
  await makeFolders(root)
  await copyProgram(root, busybox)
  const { stdout } = await run(busybox, ['--list-full'])
  const applets = stdout.split('\n').filter((path) => path !== '' && basename(path) !== 'busybox')
  for (const applet of applets) {
    const at = join(root, applet)
    await mkdir(dirname(at), { recursive: true })
    await symlink('/bin/busybox', at).catch(() => {})
  }
}

/** Makes a root of the most common programs of this machine and the libraries that they need. */
export async function makeUserland(root: string): Promise<void> {
  await makeFolders(root)
  for (const name of programs) {
    const path = await findTool(name)
    if (path !== undefined) await copyProgram(root, path)
  }
}

async function makeFolders(root: string): Promise<void> {
  for (const name of ['bin', 'etc', 'home', 'root', 'run', 'usr/bin', 'var/tmp']) {
    await mkdir(join(root, name), { recursive: true })
  }
  await chmod(join(root, 'var/tmp'), 0o1777)
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n')
}

/** Copies a program to /bin, and its libraries to where they are here. */
async function copyProgram(root: string, path: string): Promise<void> {
  await cp(path, join(root, 'bin', basename(path)), { dereference: true })
  // A static program has none: ldd fails.
  const { stdout } = await run('ldd', [path]).catch(() => ({ stdout: '' }))
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true })
    await cp(library, join(root, library), { dereference: true })
  }
}
