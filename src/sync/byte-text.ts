import { encodePath } from './path.ts'

/**
 * A name as its bytes, one character U+0000..U+00FF for each: what git compares. In a name, a byte that is not UTF-8 is a
 * lone surrogate U+DC80..U+DCFF, as Python's `surrogateescape` has it.
 */
export function byteText(name: string): string {
  return isAscii(name) ? name : encodePath(name).toString('latin1')
}

/** The bytes of a {@link byteText}, as a path for `node:fs`. */
export function pathOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** A {@link byteText} for people: what is not UTF-8 becomes U+FFFD. */
export function shown(text: string): string {
  return isAscii(text) ? text : pathOf(text).toString('utf8')
}

/** The letters A to Z made small, and no others: how git compares where `core.ignoreCase` is set. */
export function foldCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase()) : text
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  return /^[\0-\x7f]*$/.test(text)
}
