/** Something that has a path, and bytes. */
export interface Sized {
  path: string
  size: number
}

/** The largest of them, largest first; never one without a byte. */
export function largest(items: Iterable<Sized>, count: number): Sized[] {
  const some = [...items].filter(({ size }) => size > 0)
  return some.toSorted((one, other) => other.size - one.size || (one.path < other.path ? -1 : 1)).slice(0, count)
}

/** The folders in the root, with the bytes of the files at any depth in them. */
export function topFolders(files: Iterable<Sized>): Sized[] {
  const sizes = new Map<string, number>()
  for (const { path, size } of files) {
    const end = path.indexOf('/')
    if (end < 0) continue
    const folder = path.slice(0, end)
    sizes.set(folder, (sizes.get(folder) ?? 0) + size)
  }
  return Array.from(sizes, ([path, size]) => ({ path, size }))
}
