import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a source tree of 10,000 files in 200 folders, 61 MB in all, that does not compress to nothing. */
export function makeManyFiles(root: string): void {
  let seed = 1
  const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31)
  for (let folder = 0; folder < 200; folder++) {
    const path = join(root, `package-${folder % 20}`, `part-${folder}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < 50; file++) {
      const line = `export const value${next()} = ${next()} + ${next()} // ${next().toString(36)}\n`
      writeFileSync(join(path, `file-${file}.ts`), line.repeat(Math.ceil(6_100 / line.length)).slice(0, 6_100))
    }
  }
}
