import type { Interfaces } from '@oclif/core'
import { readBool } from './values/bool.ts'

type Definition = Interfaces.OptionFlag<string | undefined>

interface Texts {
  summary: string
  /** The heading it stands under in the help. */
  group: string
  char?: NonNullable<Definition['char']>
  /** What stands for its value in the help. */
  value?: string
  /** Accepted and not told of. */
  hidden?: boolean
}

/** A flag as oclif knows it, which hands on text, with the reader that makes a value of the text. */
export interface OneFlag<T> extends Definition {
  group: string
  /** The value of the flag when it comes without one; such a flag takes a value only after `=`. */
  implied?: string
  read: (text: string) => T
}

/** A flag that has a value even where it is not given. */
export interface DefaultedFlag<T> extends OneFlag<T> {
  default: string
}

/** A flag that may be given several times. */
export interface ManyFlag<T> extends OneFlag<T> {
  multiple: true
}

/** A flag with one value: of several the last one counts. */
export function one<T>(
  read: (text: string) => T,
  texts: Texts & { default: string; implied?: string },
): DefaultedFlag<T>
export function one<T>(read: (text: string) => T, texts: Texts & { implied?: string }): OneFlag<T>
export function one<T>(read: (text: string) => T, texts: Texts & { default?: string; implied?: string }): OneFlag<T> {
  return { ...define(texts), read }
}

/** A flag that may be given several times: all its values count. */
export function many<T>(read: (text: string) => T, texts: Texts): ManyFlag<T> {
  return { ...define(texts), read, multiple: true, multipleNonGreedy: true }
}

/** A bool: `--quiet`, `--quiet=false`. */
export function toggle(texts: Texts & { default: 'true' | 'false' }): DefaultedFlag<boolean>
export function toggle(texts: Texts): OneFlag<boolean>
export function toggle(texts: Texts & { default?: string }): OneFlag<boolean> {
  return one(readBool, { ...texts, implied: 'true' })
}

/** Any text. */
export function text(value: string): string {
  return value
}

/** The typed values of a table of flags. */
export type Values<F> = { [K in keyof F]: Value<F[K]> }

// Distributive, so that of a table which has at least certain flags the values of these are known.
type Value<F> =
  F extends ManyFlag<infer T>
    ? T[]
    : F extends DefaultedFlag<infer T>
      ? T
      : F extends OneFlag<infer T>
        ? T | undefined
        : never

/**
 * Stands before each value that oclif gets, and goes again here: oclif takes a value such as `-q` for the flag of that
 * name.
 */
export const guard = '='

function define({ group, value = '', ...texts }: Texts & { default?: string }): Omit<OneFlag<never>, 'read'> {
  return { ...texts, group, helpGroup: group, helpValue: value, parse: unguard, input: [], type: 'option', name: '' }
}

async function unguard(input: string): Promise<string> {
  return input.slice(guard.length)
}
