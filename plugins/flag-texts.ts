import type { OneFlag } from './flag-kinds.ts'

/** A flag, as help and README tell of it. */
export interface FlagText {
  group: string
  /** `-n, --namespace=NAME`; without a letter, indented by as much. */
  label: string
  summary: string
  /** Absent where the default is not to have what the flag gives. */
  default?: string
}

const unsaid: ReadonlySet<unknown> = new Set([undefined, 'true', 'false', 'none', '0'])

/** The texts of a table of flags, in its order, without those that nobody needs to know of. */
export function flagTexts(table: Readonly<Record<string, OneFlag<unknown>>>): FlagText[] {
  const shown = Object.entries(table).filter(([, flag]) => flag.hidden !== true)
  return shown.map(([name, flag]) => ({
    group: flag.group,
    label: flagLabel(name, flag),
    summary: flag.summary ?? '',
    ...(unsaid.has(flag.default) ? {} : { default: String(flag.default) }),
  }))
}

function flagLabel(name: string, flag: OneFlag<unknown>): string {
  const value = String(flag.helpValue ?? '')
  const long = value === '' || /^[[=]/.test(value) ? `--${name}${value}` : `--${name}=${value}`
  if (flag.char === name) return `-${flag.char}${value}`
  return flag.char === undefined ? `    ${long}` : `-${flag.char}, ${long}`
}
