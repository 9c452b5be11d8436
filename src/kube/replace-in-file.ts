import { randomUUID } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'

/**
 * Replaces long, unique texts of a file, such as tokens, and leaves its comments and order alone. Readers see the old
 * content or the new one, never half of it.
 */
export async function replaceInFile(file: string, replacements: ReadonlyMap<string, string>): Promise<void> {
  const path = await realpath(file)
  const before = await readFile(path, 'utf8')
  let after = before
  for (const [old, fresh] of replacements) after = after.replaceAll(old, () => fresh)
  if (after === before) return
  const { mode } = await stat(path)
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, after, { mode, flag: 'wx' })
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}
