import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Leaves nothing of the developer's git to matter: neither configuration, nor a repository that a hook runs in. */
export function withoutGitConfig(home: string): void {
  for (const name of Object.keys(process.env)) if (/^(GIT_|XDG_CONFIG_HOME$)/.test(name)) delete process.env[name]
  Object.assign(process.env, { HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: join(home, '.gitconfig') })
}

/** Runs git in a folder; gives its stdout, a character for each byte. */
export function git(folder: string, args: readonly string[], input = ''): string {
  try {
    const options = { cwd: folder, input: Buffer.from(input, 'latin1'), stdio: 'pipe' as const, maxBuffer: 1e9 }
    return execFileSync('git', args, options).toString('latin1')
  } catch (error) {
    // check-ignore has exit code 1 where nothing is ignored.
    const { status, stdout } = error as { status: number; stdout: Buffer }
    if (args.includes('check-ignore') && status === 1) return stdout.toString('latin1')
    throw error
  }
}

/** A folder that is removed with the tests' process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kuberun-ignore-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
