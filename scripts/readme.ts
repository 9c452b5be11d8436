// Writes the tables of flags into README.md, or into the file that is named; with --check only tells whether they fit.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { backFlags } from '../plugins/back-flags.ts'
import { type FlagText, flagTexts } from '../plugins/flag-texts.ts'
import { flags } from '../plugins/flags.ts'
import { syncFlags } from '../plugins/sync-flags.ts'

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
const parts = { flags, 'sync flags': syncFlags, 'back flags': backFlags }

const words = process.argv.slice(2)
const [file = fileURLToPath(new URL('../README.md', import.meta.url))] = words.filter((word) => word !== '--check')
const text = readFileSync(file, 'utf8')
const wanted = Object.entries(parts).reduce((before, [name, part]) => fill(before, name, tables(flagTexts(part))), text)
if (!words.includes('--check')) writeFileSync(file, wanted)
else if (text !== wanted) fail(`${file}: the tables of flags are out of date: run node scripts/readme.ts`)

function fill(whole: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before, after] = [whole.indexOf(begin), whole.indexOf(end)]
  if (before < 0 || after < before) fail(`${file}: no ${begin} with an ${end} after it`)
  return `${whole.slice(0, before)}${begin}\n\n${content}\n\n${whole.slice(after)}`
}

function tables(texts: readonly FlagText[]): string {
  const groups = [...Map.groupBy(texts, (flag) => flag.group)]
  return groups.map(([group, rows]) => `**${title(group)}**\n\n${table(rows)}`).join('\n\n')
}

function table(rows: readonly FlagText[]): string {
  const lines = rows.map(({ label, summary, default: value }) => {
    return `| \`${cell(label.trim())}\` | ${cell(summary)} | ${value === undefined ? '' : `\`${cell(value)}\``} |`
  })
  return ['| flag | what it does | default |', '| --- | --- | --- |', ...lines].join('\n')
}

function cell(content: string): string {
  return content.replaceAll('|', '\\|')
}

function title(group: string): string {
  return `${group.charAt(0).toUpperCase()}${group.slice(1)}`
}

function fail(message: string): never {
  process.stderr.write(`error: ${message}\n`)
  process.exit(1)
}
