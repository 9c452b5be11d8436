import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../src/sync/entry.ts'
import { idleFolders } from '../../src/sync/reconcile/idle-folders.ts'

function folder(path: string): Entry {
  return { type: 'folder', path, mode: 0o755, mtime: 0n, ino: 1n }
}

function link(path: string): Entry {
  return { type: 'link', path, target: 'x', mtime: 0n }
}

/** @param paths those of folders with a slash at their end */
function tree(...paths: string[]): Map<string, Entry> {
  return new Map(
    paths.map((path) => [path.replace(/\/$/, ''), path.endsWith('/') ? folder(path.slice(0, -1)) : link(path)]),
  )
}

function many(within: string, count = 60): string[] {
  return [within, ...Array.from({ length: count }, (_, n) => `${within}${n}`)]
}

const isModules = (path: string): boolean => /(^|\/)node_modules(\/|$)/.test(path)
const comesBack = (path: string): boolean => !isModules(path)

test('the outermost folders that nothing comes from need not be looked into', () => {
  const remote = tree('a', ...many('node_modules/'), ...many('node_modules/x/'), 'd/', ...many('d/node_modules/'))
  assert.deepEqual([...idleFolders(remote, tree('a'), comesBack)], ['node_modules', 'd/node_modules'])
})

test('nor do small ones, but they are as soon looked into', () => {
  assert.equal(idleFolders(tree(...many('node_modules/', 5)), tree(), comesBack).size, 0)
})

test('one that something has gone to is looked into, and what is idle in it is not', () => {
  const remote = tree(...many('node_modules/'), 'node_modules/x/', ...many('node_modules/x/y/'))
  const local = tree('node_modules/x/z')
  assert.deepEqual([...idleFolders(remote, local, comesBack)], ['node_modules/x/y'])
})

test('one that something comes from is looked into', () => {
  const remote = tree(...many('node_modules/'), 'node_modules/x/', ...many('node_modules/x/y/'))
  assert.equal(idleFolders(remote, tree(), (path) => path === 'node_modules/x/y/3').size, 0)
})

test('the largest of many are left out', () => {
  const folders = Array.from({ length: 60 }, (_, n) => [`${n}/`, ...many(`${n}/node_modules/`, 60 + n)])
  const found = [...idleFolders(tree(...folders.flat()), tree(), comesBack)]
  assert.equal(found.length, 50)
  assert.equal(found[0], '59/node_modules')
})
