/** Thrown where something is not done that an archive asks for, and everything else is: a line in the report. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** These say that nothing else can be written either. */
const ends: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only',
  EIO: 'the disk fails',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENOMEM: 'no memory is left',
}

const reasons: Readonly<Record<string, string>> = {
  // What is smaller may find a place.
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENAMETOOLONG: 'its name is too long here',
  EILSEQ: 'the file system here cannot have such a name',
  EINVAL: 'the file system here cannot have such a name, or such a size',
  EISDIR: 'there is a folder in its place',
  ENOTEMPTY: 'there is something in it here',
  ENOTDIR: 'there is a file in the place of its folder',
  ENOENT: 'its folder is gone',
  ELOOP: 'its path goes through a link',
  EFBIG: 'it is too large for the file system here',
  ETXTBSY: 'the program in its place is running',
  EBUSY: 'what is in its place is in use',
}

/** Why nothing can be written any more: in words, or undefined where an error is about one entry, or none of the file system. */
export function endOf(error: unknown): string | undefined {
  return ends[errnoOf(error)]
}

/** Why one entry was not written: in words, or undefined where an error is none of the file system. */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof Refusal) return error.message
  const code = errnoOf(error)
  return reasons[code] ?? (/^E[A-Z0-9]+$/.test(code) ? `it cannot be written here (${code})` : undefined)
}

export function errnoOf(error: unknown): string {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException
  // Node's own errors have codes too, and no call.
  return syscall === undefined ? '' : (code ?? '')
}
