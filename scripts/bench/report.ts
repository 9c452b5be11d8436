import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const begin = '<!-- bench -->'
const end = '<!-- /bench -->'
const usual = fileURLToPath(new URL('../../BENCHMARKS.md', import.meta.url))

/** Puts a table into BENCHMARKS.md between its marks, with what it was measured on. */
export function writeReport(table: readonly string[], file = usual): void {
  const text = readFileSync(file, 'utf8')
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before < 0 || after < before) throw new Error(`${file}: no ${begin} with an ${end} after it`)
  const section = [ground(), '', ...table].join('\n')
  writeFileSync(file, `${text.slice(0, before)}${begin}\n\n${section}\n\n${text.slice(after)}`)
}

function ground(): string {
  const { clientVersion, serverVersion }: Versions = JSON.parse(
    execFileSync('kubectl', ['version', '-o', 'json'], { encoding: 'utf8' }),
  )
  const [cpu] = cpus()
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`
  const facts = [
    new Date().toISOString().slice(0, 10),
    `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${memory}, Linux ${release()}`,
    `Kubernetes ${serverVersion.gitVersion}, kubectl ${clientVersion.gitVersion}, Node.js ${process.version}`,
  ]
  return facts.map((fact) => `- ${fact}`).join('\n')
}

interface Versions {
  clientVersion: { gitVersion: string }
  serverVersion: { gitVersion: string }
}
