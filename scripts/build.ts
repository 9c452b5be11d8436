import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** The programs: each has a module in plugins/bin/. */
const programs = ['kuberun', 'warp', 'kubewarp', 'biwarp', 'kubebiwarp', 'kuberun-sandbox']
/** The names they are installed under. There is no plain `warp`: others have a program of that name; nor a plain `biwarp`, for being like it. */
const installed = [
  'kubectl-kuberun',
  'kuberun',
  'kubectl-warp',
  'kubewarp',
  'kubectl-biwarp',
  'kubebiwarp',
  'kuberun-sandbox',
]

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('dist', { recursive: true, force: true })
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const library = existsSync('src/index.ts')

/**
 * Takes node:http by require. An import of it reads all that it exports, and with `WebSocket`, which nobody wants here,
 * comes undici: 15 ms of each start.
 */
const requiredHttp: Plugin = {
  name: 'required-http',
  setup: (setup) => {
    setup.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined,
    )
    setup.onLoad({ filter: /^http$/, namespace: 'required' }, () => ({
      contents: `export const { Agent, createServer, request, STATUS_CODES } = require('node:http')
export default require('node:http')`,
    }))
  },
}

// Splitting keeps what speaks to a cluster in files of its own, which help and usage errors never load.
await build({
  entryPoints: [
    ...programs.map((name) => ({ in: `plugins/bin/${name}.ts`, out: name })),
    ...(library ? [{ in: 'src/index.ts', out: 'index' }] : []),
    { in: 'src/sandbox/sandbox.ts', out: 'sandbox' },
  ],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node22.22',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  define: { KUBERUN_VERSION: JSON.stringify(version) },
  plugins: [requiredHttp],
  // oclif looks for it to run sources; it is never there.
  external: ['typescript'],
  banner: { js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);" },
  logLevel: 'warning',
})
writeFileSync('dist/package.json', '{ "type": "module" }\n')

mkdirSync('dist/bin')
writeFileSync('dist/bin/package.json', '{ "type": "commonjs" }\n')
for (const name of installed) {
  copyFileSync('plugins/bin/stub.cjs', `dist/bin/${name}`)
  chmodSync(`dist/bin/${name}`, 0o755)
}

if (library) execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
