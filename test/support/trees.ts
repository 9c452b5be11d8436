import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FolderFilter } from '../../src/sync/rules/filter.ts'

/** A folder that is removed with all that is in it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kuberun-tree-'))
  return {
    path,
    async [Symbol.asyncDispose]() {
      removeTree(path)
    },
  }
}

/** Removes a folder with all that is in it. One after the other: `rm` rejects while others of its removals go on. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // What is in a folder that nobody may write to cannot be removed, unless by root.
    execFileSync('chmod', ['-R', 'u+rwx', path])
    rmSync(path, { recursive: true, force: true })
  }
}

/** A filter that lets everything in. */
export const everything: FolderFilter = {
  verdict: () => ({ answer: 'in', reason: 'everything is' }),
  enter: async () => everything,
}

/** The bytes of a name that holds any byte, one character for each. */
export function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1')
}

/** A {@link manifest} with the mode and mtime of the folder itself. */
export function wholeManifest(root: string): string[] {
  const { mode, mtimeNs } = lstatSync(root, { bigint: true })
  return [`${mode.toString(8)} ${mtimeNs}`, ...manifest(root)]
}

/**
 * The names and modes of all that is in a folder, a character for each byte. Folders are opened, where somebody who is
 * not root could not look.
 */
export function openAll(root: string | Buffer): { name: string; mode: number }[] {
  chmodSync(root, 0o755)
  return readdirSync(root, { withFileTypes: true, encoding: 'buffer' }).flatMap((item) => {
    const place = Buffer.concat([Buffer.from(root), bytesOf('/'), item.name])
    const own = { name: item.name.toString('latin1'), mode: lstatSync(place).mode }
    return item.isDirectory() ? [own, ...openAll(place)] : [own]
  })
}

/**
 * All that is in a tree and that an archive carries, a line each, by raw bytes. Seconds are rounded down.
 * @param linkTimes false leaves the mtimes of links out
 */
export function manifest(root: string, linkTimes = true): string[] {
  const lines: string[] = []
  walk(bytesOf(''))
  return lines.toSorted()

  function walk(folder: Buffer): void {
    for (const name of readdirSync(local(folder), { encoding: 'buffer' })) {
      const path = folder.length === 0 ? name : Buffer.concat([folder, bytesOf('/'), name])
      lines.push(line(path))
      if (lstatSync(local(path)).isDirectory()) walk(path)
    }
  }

  function line(path: Buffer): string {
    const stat = lstatSync(local(path), { bigint: true })
    const mtime = Math.floor(Number(stat.mtimeNs / 1_000_000n) / 1000)
    const name = JSON.stringify(path.toString('latin1'))
    if (stat.isSymbolicLink()) {
      const target = readlinkSync(local(path), 'buffer').toString('latin1')
      return `${name} link ${JSON.stringify(target)} ${linkTimes ? mtime : ''}`
    }
    const mode = (Number(stat.mode) & 0o7777).toString(8)
    if (stat.isDirectory()) return `${name} folder ${mode} ${mtime}`
    const hash = createHash('sha256')
      .update(readFileSync(local(path)))
      .digest('hex')
    return `${name} file ${mode} ${stat.size} ${mtime} ${hash}`
  }

  function local(path: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${root}/`), path])
  }
}
