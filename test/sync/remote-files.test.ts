import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { plainShell } from '../../src/pod/shell.ts'
import { PodShell } from '../../src/sync/remote/pod-shell.ts'
import { RemoteFiles } from '../../src/sync/remote/remote-files.ts'
import { PodFolder, type PodFolderOptions, toolsets } from '../support/pod-folder.ts'

const bounded = { timeout: 30_000 }
const place = { target: { namespace: 'dev', pod: 'p', container: 'kuberun' }, shell: plainShell }
const { signal } = new AbortController()

class Setting implements AsyncDisposable {
  readonly pod: PodFolder
  readonly shell: PodShell
  readonly files: RemoteFiles

  constructor(options: PodFolderOptions) {
    this.pod = new PodFolder(options)
    this.shell = new PodShell(this.pod.client, { ...place, signal })
    this.files = new RemoteFiles(this.shell)
  }

  write(path: string, text = ''): void {
    const file = join(this.pod.root, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
  }

  async names(unread: string[] = []): Promise<string[]> {
    return [...(await this.files.scan(new Set(unread))).entries.keys()].toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shell.close()
    await this.pod.idle()
    this.pod[Symbol.dispose]()
  }
}

for (const { name: tools, skip } of toolsets) {
  suite(`listings with the programs of ${tools}`, { skip }, () => {
    test('leave out what is in folders that nobody need look into, and nothing else', bounded, async () => {
      await using setting = new Setting({ tools })
      const odd = ['*', 'a*', '[ab]', '\\a', "it's", '?', '-x', '.h', '\n', '(', '!']
      for (const name of odd) setting.write(`${name}/inside`)
      for (const name of ['a', 'ab', 'b', 'xa', 'q']) setting.write(`${name}/inside`)
      symlinkSync('a', join(setting.pod.root, 'link'))
      const all = await setting.names()
      for (const folder of [...odd, 'link', 'gone', 'a/inside']) {
        assert.deepEqual(
          await setting.names([folder]),
          all.filter((path) => path !== `${folder}/inside`),
          folder,
        )
      }
      assert.deepEqual(
        await setting.names(odd),
        all.filter((path) => !odd.some((folder) => path === `${folder}/inside`)),
      )
    })

    for (const without of [[], ['sha256sum']]) {
      const withWhat = without.length === 0 ? '' : ', and no sha256sum'
      test(`are the same as long as nothing changes${withWhat}`, bounded, async () => {
        await using setting = new Setting({ tools, without })
        for (let n = 0; n < 600; n += 1) setting.write(`${'n'.repeat(100)}${n}`)
        const first = await setting.files.scan()
        // The first time to know, then by what is told in fewer words.
        for (let round = 0; round < 3; round += 1) assert.equal(await setting.files.scan(), first)
        setting.write('new')
        const second = await setting.files.scan()
        assert.deepEqual([first.entries.size, second.entries.size], [600, 601])
        for (let round = 0; round < 3; round += 1) assert.equal(await setting.files.scan(), second)
        rmSync(join(setting.pod.root, 'new'))
        assert.equal((await setting.files.scan()).entries.size, 600)
        assert.equal(setting.pod.connects, 1)
      })
    }
  })
}

test('what cannot be kept there is told each time', bounded, async () => {
  await using setting = new Setting({})
  mkdirSync(join(setting.pod.root, '../listing'))
  for (let n = 0; n < 600; n += 1) setting.write(`${'n'.repeat(100)}${n}`)
  const first = await setting.files.scan()
  for (let round = 0; round < 4; round += 1) assert.equal(await setting.files.scan(), first)
})

test('a find that can leave nothing out lists it all', bounded, async () => {
  await using setting = new Setting({})
  for (const path of ['a/x', 'b/x']) setting.write(path)
  const find = join(setting.pod.bin, 'find')
  rmSync(find)
  const script = 'for word; do [ "$word" != -prune ] || { echo "unrecognized: -prune" >&2; exit 1; }; done'
  writeFileSync(find, `#!/bin/sh\n${script}\nexec /usr/bin/find "$@"\n`, { mode: 0o755 })
  const listing = await setting.files.scan(new Set(['a']))
  assert.deepEqual([...listing.entries.keys()].toSorted(), ['a', 'a/x', 'b', 'b/x'])
  assert.equal(listing.unread.size, 0)
})
