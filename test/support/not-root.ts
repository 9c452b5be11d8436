const nobody = 65534

/**
 * Works as somebody who is not root, where we are root.
 * @param prepare gives him what he needs, before
 */
export async function notAsRoot<T>(work: () => Promise<T>, prepare?: (uid: number) => void): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  prepare?.(nobody)
  process.setegid?.(nobody)
  process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
