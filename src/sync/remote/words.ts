/** How many characters, of up to three bytes each, the words of one command may have: Linux takes 128 KiB at least. */
const longest = 30_000

/** What the remote script calls something below the remote root; '' is the root itself. */
export function remote(path: string): string {
  return path === '' ? 'root' : `root/${path}`
}

/** Words joined to lines that are not too long for one command. */
export function linesOf(words: readonly string[]): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length > longest) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
