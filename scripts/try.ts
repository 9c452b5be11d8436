// Runs a command on a sandbox, with our programs first on the PATH; without one, some examples. Builds what is not built.
import { execFileSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const examples = [
  'kuberun echo hello world',
  "printf 'pears\\napples\\n' | kuberun sort | tr a-z A-Z",
  'kuberun \'echo out; echo err >&2; exit 3\' 2>/dev/null; echo "exit code $?"',
  'seq 1 5 | xargs -P5 -I{} kuberun echo "hello {}"',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'dist/bin')
if (isOld()) execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root, stdio: 'inherit' })

const words = process.argv.slice(2)
const command = words.length > 0 ? words : ['sh', '-c', examples.map(shown).join('\n')]
const sandbox = join(bin, 'kuberun-sandbox')
const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
// In place of this process: signals and the exit code need nobody in between.
process.execve?.(sandbox, [sandbox, '--', ...command], { ...process.env, PATH: path })

/** Whether a source is newer than the programs. */
function isOld(): boolean {
  const built = statSync(join(bin, 'kuberun-sandbox'), { throwIfNoEntry: false })
  const sources = globSync(['src/**/*', 'plugins/**/*', 'scripts/build.ts', 'package.json'], { cwd: root })
  return built === undefined || sources.some((file) => statSync(join(root, file)).mtimeMs > built.mtimeMs)
}

/** The line as one would have typed it, and then what it prints. */
function shown(line: string): string {
  return `printf '\\n$ %s\\n' '${line.replaceAll("'", `'\\''`)}'\n${line}`
}
