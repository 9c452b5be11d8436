import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Watcher } from '../../src/sync/local/watch.ts'
import { localPath } from '../../src/sync/path.ts'
import { until } from '../support/events.ts'
import { temporaryFolder } from '../support/trees.ts'

const bounded = { timeout: 20_000 }

/** A root that is watched, and what has been told of it. */
async function watched(...folders: string[]) {
  const root = await temporaryFolder()
  for (const folder of folders) mkdirSync(localPath(root.path, folder), { recursive: true })
  const told = new Set<string>()
  const troubles: string[] = []
  const watcher = new Watcher(root.path, {
    onChange: (folder) => told.add(folder),
    onTrouble: ({ code }) => troubles.push(code ?? ''),
  })
  const at = (path: string) => localPath(root.path, path)
  /** What is told of a change, at least of this folder. */
  const toldOf = async (change: () => unknown, folder: string): Promise<void> => {
    told.clear()
    change()
    await until(() => told.has(folder))
  }
  return {
    root,
    watcher,
    told,
    troubles,
    at,
    toldOf,
    async [Symbol.asyncDispose]() {
      watcher[Symbol.dispose]()
      await root[Symbol.asyncDispose]()
    },
  }
}

const isRoot = process.getuid?.() === 0

suite('the watcher', () => {
  test('tells of each kind of change in which folder it was', bounded, async () => {
    for (const folder of ['', 'a', 'a/b', "odd 'n\n*", '\udcff']) {
      await using it = await watched('a/b', "odd 'n\n*", '\udcff')
      assert.deepEqual(it.watcher.follow(['', folder]), folder === '' ? [''] : ['', folder])
      const path = (name: string) => it.at(folder === '' ? name : `${folder}/${name}`)
      for (const change of [
        () => writeFileSync(path('file'), 'x'),
        () => writeFileSync(path('file'), 'y', { flag: 'a' }),
        () => chmodSync(path('file'), 0o600),
        () => renameSync(path('file'), path('other')),
        () => unlinkSync(path('other')),
        () => symlinkSync('/', path('link')),
        () => mkdirSync(path('folder')),
      ]) {
        await it.toldOf(change, folder)
      }
      assert.deepEqual(it.troubles, [])
    }
  })

  test('says which folders are new to it, and forgets those that are no longer to be watched', bounded, async () => {
    await using it = await watched('a', 'b')
    assert.deepEqual(it.watcher.follow(['', 'a']), ['', 'a'])
    assert.deepEqual(it.watcher.follow(['', 'a', 'b']), ['b'])
    assert.deepEqual(it.watcher.follow(['', 'b']), [])
    // What is told of the one comes before what is told of the other.
    writeFileSync(it.at('a/x'), '')
    await it.toldOf(() => writeFileSync(it.at('b/x'), ''), 'b')
    assert.deepEqual([...it.told], ['b'])
    assert.deepEqual(it.watcher.follow(['', 'a', 'b']), ['a'])
  })

  for (const name of ['a', 'a/a', '\udcff']) {
    test(`watches ${JSON.stringify(name)} again where it was removed and made again`, bounded, async () => {
      await using it = await watched(name)
      const folders = name === 'a/a' ? ['', 'a', name] : ['', name]
      it.watcher.follow(folders)
      const parent = name === 'a/a' ? 'a' : ''
      it.told.clear()
      rmSync(it.at(name), { recursive: true })
      await until(() => it.told.has(name) && it.told.has(parent))
      mkdirSync(it.at(name))
      assert.ok(it.watcher.follow(folders).includes(name))
      await it.toldOf(() => writeFileSync(it.at(`${name}/x`), ''), name)
    })
  }

  test('watches what is in a folder that has come in the place of one that was moved', bounded, async () => {
    await using it = await watched('a/b/c')
    const folders = ['', 'a', 'a/b', 'a/b/c']
    it.watcher.follow(folders)
    await it.toldOf(() => {
      renameSync(it.at('a'), it.at('moved'))
      mkdirSync(it.at('a/b/c'), { recursive: true })
    }, 'a')
    assert.deepEqual(it.watcher.follow(folders), ['a', 'a/b', 'a/b/c'])
    for (const folder of ['a/b', 'a/b/c']) await it.toldOf(() => writeFileSync(it.at(`${folder}/x`), ''), folder)
  })

  test('watches a root that has come in the place of another', bounded, async () => {
    await using it = await watched('root')
    const told = new Set<string>()
    using watcher = new Watcher(join(it.root.path, 'root'), {
      onChange: (folder) => told.add(folder),
      onTrouble: () => {},
    })
    watcher.follow([''])
    renameSync(it.at('root'), it.at('old'))
    await until(() => told.has(''))
    mkdirSync(it.at('root'))
    assert.deepEqual(watcher.follow(['']), [''])
    told.clear()
    writeFileSync(it.at('root/x'), '')
    await until(() => told.has(''))
  })

  test('takes a folder that is not there for one that is not to be watched', bounded, async () => {
    await using it = await watched()
    writeFileSync(it.at('file'), '')
    assert.deepEqual(it.watcher.follow(['', 'gone', 'file/gone']), [''])
    assert.deepEqual(it.troubles, [])
  })

  test('leaves nothing that would keep the process', bounded, () => {
    const script = `
      import { Watcher } from ${JSON.stringify(new URL('../../src/sync/local/watch.ts', import.meta.url).href)}
      const watcher = new Watcher('/', { onChange() {}, onTrouble(error) { throw error } })
      watcher.follow(['', 'etc', 'usr'])
      watcher.follow(['etc'])
      watcher[Symbol.dispose]()`
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 15_000 })
  })

  test('watches a folder that may not be read as soon as it may', { ...bounded, skip: !isRoot }, async () => {
    await using it = await watched('closed', 'open')
    for (const [folder, mode] of [
      ['', 0o755],
      ['open', 0o755],
      ['closed', 0o700],
    ] as const) {
      chmodSync(it.at(folder), mode)
    }
    process.seteuid?.(65534)
    try {
      assert.deepEqual(it.watcher.follow(['', 'closed', 'open']), ['', 'open'])
    } finally {
      process.seteuid?.(0)
    }
    assert.deepEqual(it.troubles, [])
    await it.toldOf(() => chmodSync(it.at('closed'), 0o755), '')
    assert.deepEqual(it.watcher.follow(['', 'closed', 'open']), ['closed'])
  })

  test('says why a folder that is there cannot be watched', bounded, async () => {
    await using it = await watched()
    assert.deepEqual(it.watcher.follow(['', 'n'.repeat(300)]), [''])
    assert.deepEqual(it.troubles, ['ENAMETOOLONG'])
  })
})
