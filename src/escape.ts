/**
 * Makes control characters visible: a message may hold what a cluster, an image or a webhook said, and a terminal would
 * obey it. Line breaks and tabs stay.
 */
export function escapeControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(controls, escapeOne)
}

// C0 but tab and line feed, DEL, C1, and what turns the direction of writing round.
// oxlint-disable-next-line no-control-regex -- these are what it is for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

function escapeOne(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}
