import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each folder of src may import, besides itself and the leaves: data flows down. A new folder needs a row. */
const mayImport: Record<string, readonly string[]> = {
  run: ['pod', 'exec', 'sync', 'kube', 'options'],
  sync: ['pod', 'exec', 'kube', 'options'],
  pod: ['exec', 'kube', 'options'],
  exec: ['pod', 'kube'],
  kube: [],
  options: [],
  sandbox: ['pod', 'exec', 'kube', 'options'],
}

/** The same for what is in src/sync: its own files are above, or are the leaves here. */
const mayImportInSync: Record<string, readonly string[]> = {
  plan: ['local', 'rules'],
  remote: ['tar', 'local'],
  reconcile: ['extract', 'tar', 'local', 'rules'],
  extract: ['tar', 'local', 'rules'],
  tar: ['local'],
  local: ['rules'],
  rules: [],
}
const leavesOfSync = ['byte-size.ts', 'byte-text.ts', 'entry.ts', 'path.ts', 'visible.ts']

/** The files of src itself: all may import them. `index.ts` is above all, and nobody's to import. */
const leaves = ['errors.ts', 'options.ts', 'escape.ts']

interface Import {
  file: string
  /** A package, or a path from the root. */
  target: string
  isType: boolean
}

function sources(folder: string): string[] {
  return globSync(`${folder}/**/*.{ts,cjs}`, { cwd: root }).toSorted()
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function importsOf(file: string): Import[] {
  const statements = read(file).matchAll(
    /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/gm,
  )
  return [...statements].map(([, type, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? ''
    const target = name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name
    return { file, target, isType: type !== undefined }
  })
}

/** The text of a program without its comments. */
function code(file: string): string {
  return read(file).replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

const inSrc = sources('src')
const inPlugins = sources('plugins')

test('there is something to look at', () => {
  assert.ok(inSrc.length > 50 && inPlugins.length > 10)
  assert.ok(inSrc.flatMap(importsOf).length > 200)
})

test('the library knows nothing of the command line', () => {
  for (const { file, target } of inSrc.flatMap(importsOf)) {
    assert.doesNotMatch(target, /^plugins\/|^@oclif\//, `${file} imports ${target}`)
    assert.doesNotMatch(target, /^(test|scripts)\//, `${file} imports ${target}`)
  }
})

test('the command line speaks to no cluster itself', () => {
  for (const { file, target } of inPlugins.flatMap(importsOf)) {
    assert.doesNotMatch(target, /^@kubernetes\/|^ws$/, `${file} imports ${target}`)
  }
})

test('imports point down', () => {
  for (const { file, target } of inSrc.flatMap(importsOf).filter(({ target: path }) => path.startsWith('src/'))) {
    const [, from = '', rest] = file.split('/')
    const [, to = '', inner] = target.split('/')
    if (file === 'src/index.ts' || leaves.includes(to)) continue
    if (rest === undefined) {
      assert.ok(to === 'options', `${file}, a leaf, imports ${target}`)
      continue
    }
    assert.ok(inner !== undefined, `${file} imports ${target}, which is no leaf`)
    const allowed = mayImport[from]
    assert.ok(allowed !== undefined, `src/${from} has no row in this test: say what it may import`)
    assert.ok(
      from === to || allowed.includes(to),
      `${file} imports ${target}: ${from} may import ${allowed.join(', ')}`,
    )
  }
})

test('imports within src/sync point down', () => {
  for (const { file, target } of inSrc.flatMap(importsOf).filter(({ target: path }) => path.startsWith('src/sync/'))) {
    const [, area, from = '', isDeeper] = file.split('/')
    const [, , to = ''] = target.split('/')
    if (area !== 'sync' || leavesOfSync.includes(to)) continue
    if (isDeeper === undefined) {
      assert.ok(!leavesOfSync.includes(from), `${file}, a leaf, imports ${target}`)
      continue
    }
    const allowed = mayImportInSync[from]
    assert.ok(allowed !== undefined, `src/sync/${from} has no row in this test: say what it may import`)
    assert.ok(from === to || allowed.includes(to), `${file} imports ${target}`)
  }
})

test('what speaks to the API server is in src/kube, but for types', () => {
  for (const { file, target, isType } of inSrc.flatMap(importsOf)) {
    // The sandbox is such a server itself.
    if (isType || file.startsWith('src/kube/') || file.startsWith('src/sandbox/')) continue
    assert.doesNotMatch(target, /^(@kubernetes\/|ws$|undici$|node:https?$|node:tls$)/, `${file} imports ${target}`)
  }
})

test('the library leaves the process alone', () => {
  for (const file of inSrc) {
    assert.doesNotMatch(code(file), /\bprocess\s*\.\s*(exit|exitCode|argv|abort|chdir|on|once)\b/, file)
    assert.doesNotMatch(code(file), /\bconsole\b/, file)
    for (const { target } of importsOf(file)) assert.doesNotMatch(target, /^(node:)?(console|process)$/, file)
  }
})

test('the public API is a list of names', { skip: !existsSync(join(root, 'src/index.ts')) }, () => {
  const text = read('src/index.ts').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const rest = text.replace(/export\s+(type\s+)?\{[^}]*\}\s+from\s+'[^']+'/g, '').trim()
  assert.equal(rest, '', 'src/index.ts does more than re-export by name')
})

test('imports of every shape are seen', () => {
  const targets = inSrc.concat(inPlugins).flatMap(importsOf)
  assert.ok(targets.some(({ target }) => target === 'src/run/kuberun.ts'))
  assert.ok(targets.some(({ target, isType }) => target === 'ws' && isType))
  assert.ok(targets.some(({ target, isType }) => target === 'ws' && !isType))
  assert.ok(targets.every(({ target }) => target !== ''))
})
