import { createReadStream, createWriteStream, fstatSync } from 'node:fs'
import { KuberunError } from '../src/errors.ts'

/**
 * The stdin of this process.
 * @throws {KuberunError} `stdio`: it is a folder
 */
export function openStdin(): NodeJS.ReadStream {
  const kind = fstatSync(0)
  if (kind.isDirectory()) {
    const hint = 'give it a file, or /dev/null, or run with --stdin=false'
    throw new KuberunError('stdio', 'cannot read stdin: EISDIR: it is a folder', { hint })
  }
  // Node knows no stream for a disk, and would give an empty one without a word; a file it reads in pieces of 64 KiB, which
  // takes longer than sending them.
  if (!kind.isBlockDevice() && !kind.isFile()) return process.stdin
  return createReadStream('', { fd: 0, autoClose: false, highWaterMark: 256 * 1024 }) as unknown as NodeJS.ReadStream
}

/** The stdout of this process. */
export function openStdout(): NodeJS.WriteStream {
  const kind = fstatSync(1)
  // As above: what is written to these would go nowhere. A folder then fails, as it should.
  if (!kind.isBlockDevice() && !kind.isDirectory()) return process.stdout
  return createWriteStream('', { fd: 1, autoClose: false }) as unknown as NodeJS.WriteStream
}
