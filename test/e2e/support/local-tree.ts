import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../../support/trees.ts'

/** A folder with these files. */
export async function folderOf(files: Readonly<Record<string, string>> = {}): ReturnType<typeof temporaryFolder> {
  const made = await temporaryFolder()
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(made.path, path)), { recursive: true })
    writeFileSync(join(made.path, path), content)
  }
  return made
}
