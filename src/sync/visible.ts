import { escapeControls } from '../escape.ts'

/**
 * A path, or a reason, as one line that a terminal does not obey: control characters, line breaks too, and the bytes
 * that are not UTF-8 as `\x1b`. A backslash stays as it is, so two paths may look the same.
 */
export function visible(text: string): string {
  const oneLine = text.replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  // With the flag "u" a surrogate matches only where it is no half of a pair.
  return escapeControls(oneLine).replace(
    /[\udc80-\udcff]/gu,
    (byte) => `\\x${(byte.charCodeAt(0) & 0xff).toString(16)}`,
  )
}
