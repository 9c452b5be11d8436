import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { UsageError } from '../src/errors.ts'

const hint = `what runs in the pod can make such bytes, as in: printf '\\377'; stdin carries any`

/**
 * Refuses words of this process's command line that are not UTF-8: Node has put U+FFFD in the place of their bytes.
 * Where /proc does not tell such a word from one that had U+FFFD in it, it warns.
 * @throws {UsageError} with the word, its bytes made visible
 */
export function checkWords(words: readonly string[], warn: (message: string) => void): void {
  const doubtful = words.find(isDoubtful)
  if (doubtful === undefined) return
  const all = entriesOf('/proc/self/cmdline')
  if (all === undefined) {
    warn(`the word "${doubtful}" holds U+FFFD: if its bytes were not UTF-8, they are lost`)
    return
  }
  const wrong = all.slice(-words.length).find((bytes) => !isUtf8(bytes))
  if (wrong !== undefined) throw new UsageError(`the word "${show(wrong)}" is not UTF-8`, { hint })
}

/**
 * Refuses a variable of this process that is not UTF-8, as far as /proc tells.
 * @throws {UsageError} with its name
 */
export function checkVariable(name: string, value: string): void {
  if (!isDoubtful(value)) return
  const bytes = entriesOf('/proc/self/environ')?.find((entry) => entry.indexOf(`${name}=`) === 0)
  if (bytes !== undefined && !isUtf8(bytes)) {
    throw new UsageError(`the environment variable "${name}" is not UTF-8`, { hint })
  }
}

function isDoubtful(text: string): boolean {
  return text.includes('\uFFFD')
}

/** Texts that each end with a NUL byte, in their bytes. */
function entriesOf(file: string): Buffer[] | undefined {
  try {
    const texts = readFileSync(file, 'latin1').split('\0').slice(0, -1)
    return texts.map((text) => Buffer.from(text, 'latin1'))
  } catch {
    return undefined
  }
}

function show(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
