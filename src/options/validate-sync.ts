import { UsageError } from '../errors.ts'
import type { SyncOptions } from '../options.ts'
import { check, controlFault, nulFault } from './checks.ts'
import { validateBack } from './validate-back.ts'

/** Finds what is wrong with a sync; whether the local folder is there is not asked. @throws {UsageError} */
export function validateSync({ dir, remoteDir, maxUpload, once, onSync, back }: SyncOptions): void {
  check('folder', dir, dirFault)
  check('remote folder', remoteDir, remoteDirFault)
  if (!(maxUpload > 0)) throw new UsageError('--max-upload must be higher than zero')
  check('command for --on-sync', onSync ?? '', nulFault)
  if (once && onSync !== undefined) {
    throw new UsageError('--on-sync has nothing to run after with --once', { hint: 'leave out one of the two' })
  }
  if (back !== undefined) validateBack(back)
}

/** Where the container's own things are, and ours: nothing may be mounted over them. */
const taken = ['/.kuberun', '/.kuberun-sync', '/proc', '/sys', '/dev']

function dirFault(dir: string): string | undefined {
  return dir === '' ? 'must not be empty' : nulFault(dir)
}

function remoteDirFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must be an absolute path in the container'
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.length === 0) return 'must not be the root of the container'
  if (parts.includes('.') || parts.includes('..')) return 'must not have "." or ".." between slashes'
  const plain = `/${parts.join('/')}/`
  const above = taken.find((folder) => plain.startsWith(`${folder}/`))
  if (above !== undefined) return `must not be in ${above}`
  // Kubernetes refuses it in the path of a mount.
  return path.includes(':') ? 'must not hold ":"' : controlFault(path)
}
