import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { byteText, pathOf } from '../../src/sync/byte-text.ts'
import { type FilterOptions, type FolderFilter, openFilter, type Verdict } from '../../src/sync/rules/filter.ts'

/** Every verdict of a walk through a folder, by path; folders have a slash at their end. Paths are byte texts. */
export async function verdicts(root: string, options: Partial<FilterOptions> = {}): Promise<Map<string, Verdict>> {
  const all = new Map<string, Verdict>()
  const walk = async (filter: FolderFilter, path: string, entries: Map<string, boolean>): Promise<void> => {
    for (const [name, isFolder] of entries) {
      const verdict = filter.verdict(name, isFolder)
      const place = path + byteText(name)
      all.set(isFolder ? `${place}/` : place, verdict)
      if (!isFolder || verdict.answer === 'out') continue
      const inner = await list(join(byteText(root), place))
      await walk(await filter.enter(name, new Set(inner.keys())), `${place}/`, inner)
    }
  }
  const entries = await list(byteText(root))
  const filter = await openFilter(root, new Set(entries.keys()), { exclude: [], include: [], ignore: true, ...options })
  await walk(filter, '', entries)
  return all
}

/** The files that go, sorted. */
export async function sent(root: string, options: Partial<FilterOptions> = {}): Promise<string[]> {
  const all = [...(await verdicts(root, options))]
  return all
    .filter(([path, { answer }]) => answer === 'in' && !path.endsWith('/'))
    .map(([path]) => path)
    .toSorted()
}

async function list(folder: string): Promise<Map<string, boolean>> {
  const entries = await readdir(pathOf(folder), { withFileTypes: true, encoding: 'buffer' })
  return new Map(entries.map((entry) => [nameOf(entry.name), entry.isDirectory()]))
}

/** A name of which no UTF-8 is made is one of surrogates, but for ASCII. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text
  return bytes.toString('latin1').replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)))
}
