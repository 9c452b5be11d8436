import { readFileSync } from 'node:fs'

// Put in by the build.
declare const KUBERUN_VERSION: string | undefined

/** The version of this package. */
export const version: string = typeof KUBERUN_VERSION === 'string' ? KUBERUN_VERSION : readVersion()

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}
