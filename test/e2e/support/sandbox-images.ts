import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxOptions } from '../../../src/sandbox/sandbox.ts'
import { hasNamespaces } from '../../support/container.ts'
import { folder, sh } from './programs.ts'

/** What a sandbox takes for the image without a shell; every other one is this machine. */
export function sandboxImages(): NonNullable<SandboxOptions['images']> {
  const busybox = busyboxes.find((path) => existsSync(path))
  if (busybox === undefined) return []
  const root = join(folder, 'static')
  mkdirSync(join(root, 'own'), { recursive: true })
  copyFileSync(busybox, join(root, 'own/ash'))
  for (const name of ['cat', 'sleep']) symlinkSync('ash', join(root, 'own', name))
  writeFileSync(join(root, 'app'), app, { mode: 0o755 })
  return [{ name: /^static:1$/, root }]
}

/** Why a sandbox here has not the image. */
export async function lackOf(image: string): Promise<string | undefined> {
  if (image === 'nonroot:1') return 'the sandbox has no images with a user of their own'
  if (image === 'static:1' && !busyboxes.some((path) => existsSync(path))) return 'needs BusyBox'
  if (image === 'build:1' && !hasNamespaces) return 'a chroot’s small userland has no make'
  if (image === 'build:1' && (await sh('make --version')).code !== 0) return 'needs make'
  return undefined
}

const busyboxes = ['/bin/busybox', '/usr/bin/busybox']
const app = `#!/own/ash
case $1 in
  cat) exec /own/cat ;;
  exit) exit $2 ;;
  sleep) exec /own/sleep $2 ;;
  *) echo "$@" ;;
esac
`
