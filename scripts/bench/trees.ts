import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a source tree of 50 files in each folder, of 6,100 bytes each, that does not compress to nothing. */
export function makeTree(root: string, { folders }: { folders: number }): void {
  let seed = 1
  const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31)
  for (let folder = 0; folder < folders; folder++) {
    const path = join(root, `package-${folder % 20}`, `part-${folder}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < 50; file++) {
      const line = `export const value${next()} = ${next()} + ${next()} // ${next().toString(36)}\n`
      writeFileSync(join(path, `file-${file}.ts`), line.repeat(Math.ceil(6_100 / line.length)).slice(0, 6_100))
    }
  }
}
