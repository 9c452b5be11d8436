import { UsageError } from '../../src/errors.ts'
import type { EnvVar } from '../../src/options.ts'

/** `NAME=VALUE`, or a bare NAME that is copied from here. */
export interface EnvWord {
  name: string
  value?: string
}

/** Reads a value of `--env`. */
export function readEnv(text: string): EnvWord {
  const equals = text.indexOf('=')
  if (text === '' || equals === 0) throw new UsageError('must be NAME=VALUE, or NAME to copy it')
  return equals < 0 ? { name: text } : { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

/**
 * Reads the text of an env file as docker does: values are verbatim, quotes too; `#` at the start of a line is a
 * comment; a bare NAME is copied.
 */
export function readEnvFile(text: string, path: string): EnvWord[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return lines.flatMap((raw, index) => {
    const line = raw.trimStart()
    return line === '' || line.startsWith('#') ? [] : [readLine(line, `"${path}" line ${index + 1}`)]
  })
}

/**
 * The variables as the pod gets them: of equal names the last one counts. A bare name that is not set here stays
 * unset, as with `docker run --env NAME`.
 */
export function environment(words: readonly EnvWord[], local: NodeJS.ProcessEnv): EnvVar[] {
  const values = new Map<string, string>()
  for (const { name, value = local[name] } of words) {
    if (value !== undefined) values.set(name, value)
  }
  return [...values].map(([name, value]) => ({ name, value }))
}

function readLine(line: string, place: string): EnvWord {
  const equals = line.indexOf('=')
  const name = equals < 0 ? line.trimEnd() : line.slice(0, equals)
  if (name === '') throw new UsageError(`no variable name on ${place}`)
  if (/\s/.test(name)) throw new UsageError(`variable "${name}" on ${place} contains white space`)
  return equals < 0 ? { name } : { name, value: line.slice(equals + 1) }
}
