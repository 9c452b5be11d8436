import { KuberunError } from '../src/errors.ts'
import { escapeControls } from '../src/escape.ts'

/**
 * What the user reads of an error: one sentence, and below it what to do. An error that nobody threw on purpose is a
 * bug, and says so.
 * @param stack whether the stack is shown
 */
export function describeError(error: unknown, stack = false): string {
  const trace = stack && error instanceof Error && error.stack ? `\n${escapeControls(error.stack)}` : ''
  if (error instanceof KuberunError) return `${format(error.message, error.hint)}${trace}\n`
  const message = error instanceof Error ? error.message || error.name : String(error)
  return `${format(`internal error: ${message}`, 'this is a bug: please report it, with what -v=9 adds')}${trace}\n`
}

function format(message: string, hint: string | undefined): string {
  const lines = hint === undefined ? [] : hint.trimEnd().split('\n')
  return [`error: ${escapeControls(message)}`, ...lines.map((line) => `  ${escapeControls(line)}`)].join('\n')
}
