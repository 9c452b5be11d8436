import { lstatSync, rmSync, writeFileSync } from 'node:fs'
import type { OpenFolder } from './open-folder.ts'

/** The names in a folder, where some that differ are the same. */
export interface Spellings {
  /** The name that is there, where this one is another spelling of it. */
  other(name: string): string | undefined
  add(name: string): void
}

export function spellingsIn(names: readonly string[]): Spellings {
  const known = new Map<string, string>()
  const add = (name: string): void => void known.set(fold(name), name)
  names.forEach(add)
  return {
    add,
    other: (name) => {
      const there = known.get(fold(name))
      return there === name ? undefined : there
    },
  }
}

/** More names fold together than on any one file system: what is refused for that is said. */
function fold(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}

/**
 * Finds out whether a file system takes names for the same that differ in case, or in how a letter is composed.
 * @param name of a file to try it with, which is none of anybody else's
 */
export function foldsNamesIn(folder: OpenFolder, name: string): boolean {
  const [made, ...others] = [`${name}\u00c4`, `${name}\u00e4`, `${name}A\u0308`]
  writeFileSync(folder.at(made), '', { flag: 'wx', mode: 0o600 })
  try {
    return others.some((other) => lstatSync(folder.at(other), { throwIfNoEntry: false }) !== undefined)
  } finally {
    rmSync(folder.at(made))
  }
}
