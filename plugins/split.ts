import { UsageError } from '../src/errors.ts'

/** What must be known of a flag to find where it ends. */
export interface FlagShape {
  /** Its one-letter form. */
  char?: string | undefined
  /** The value of the flag when it comes without one; such a flag takes a value only after `=`. */
  implied?: string | undefined
}

/** One flag as it was given: its long name and its value. */
export interface Setting {
  flag: string
  value: string
}

/** A command line, taken apart. */
export interface SplitWords {
  /** In the order given, repeats too. */
  settings: Setting[]
  /** The command's words, untouched. */
  command: string[]
}

interface Step extends SplitWords {
  /** How many words the step has used up. */
  used: number
}

/**
 * Takes the flags of ours from the command's words: they end at `--`, or at the first word that is no flag. Follows
 * pflag, as kubectl does, in syntax and wording.
 * @throws {UsageError} a flag that is unknown, malformed or without its value
 */
export function split(words: readonly string[], shapes: Readonly<Record<string, FlagShape>>): SplitWords {
  const settings: Setting[] = []
  let at = 0
  for (;;) {
    const word = words[at]
    if (word === undefined || word === '-' || !word.startsWith('-')) break
    at += 1
    if (word === '--') break
    const next = words[at]
    const step = word.startsWith('--') ? readLong(word, next, shapes) : readShort(word, next, shapes)
    settings.push(...step.settings)
    at += step.used
  }
  return { settings, command: words.slice(at) }
}

type StepResult = Pick<Step, 'settings' | 'used'>
type Shapes = Readonly<Record<string, FlagShape>>

function readLong(word: string, next: string | undefined, shapes: Shapes): StepResult {
  const [, flag = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  if (flag === '' || flag.startsWith('-')) throw new UsageError(`bad flag syntax: ${word}`)
  const shape = Object.hasOwn(shapes, flag) ? shapes[flag] : undefined
  if (shape === undefined) throw new UsageError(`unknown flag: --${flag}`)
  if (value !== undefined) return { settings: [{ flag, value }], used: 0 }
  if (shape.implied !== undefined) return { settings: [{ flag, value: shape.implied }], used: 0 }
  return { settings: [{ flag, value: need(next, `--${flag}`) }], used: 1 }
}

// `-it`, `-itn dev`, `-ndev`, `-n=dev`, `-i=false`: letters until one takes a value.
function readShort(word: string, next: string | undefined, shapes: Shapes): StepResult {
  const settings: Setting[] = []
  let rest = word.slice(1)
  while (rest !== '') {
    const [char = ''] = rest
    const [flag, shape] = Object.entries(shapes).find((entry) => entry[1].char === char) ?? []
    if (flag === undefined) throw new UsageError(`unknown shorthand flag: '${char}' in -${rest}`)
    const after = rest.slice(char.length)
    if (after.startsWith('=')) return { settings: [...settings, { flag, value: after.slice(1) }], used: 0 }
    if (shape?.implied === undefined) {
      if (after !== '') return { settings: [...settings, { flag, value: after }], used: 0 }
      return { settings: [...settings, { flag, value: need(next, `'${char}' in -${rest}`) }], used: 1 }
    }
    settings.push({ flag, value: shape.implied })
    rest = after
  }
  return { settings, used: 0 }
}

// kubectl would take `--` for the value; nobody means that, and `--image=--` remains.
function need(value: string | undefined, flag: string): string {
  if (value === undefined || value === '--') throw new UsageError(`flag needs an argument: ${flag}`)
  return value
}
