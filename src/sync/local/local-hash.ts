import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { localPath } from '../path.ts'
import { Disk } from './disk.ts'

/** @returns by path, the SHA-256 of these files in hexadecimal; without those that cannot be read */
export async function localHashes(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const disk = new Disk({ signal })
  const into = Buffer.alloc(256 * 1024)
  const hashes = new Map<string, string>()
  for (const path of paths) {
    await disk.turn()
    try {
      hashes.set(path, await hashOf(path))
    } catch {
      signal.throwIfAborted()
    }
  }
  return hashes

  async function hashOf(path: string): Promise<string> {
    const fd = await disk.open(localPath(root, path))
    try {
      const hash = createHash('sha256')
      for (let at = 0; ; ) {
        await disk.turn()
        const count = await disk.read(fd, into, at)
        if (count === 0) return hash.digest('hex')
        hash.update(into.subarray(0, count))
        at += count
      }
    } finally {
      closeSync(fd)
    }
  }
}
