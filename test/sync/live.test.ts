import assert from 'node:assert/strict'
import { appendFileSync, linkSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { plainShell } from '../../src/pod/shell.ts'
import { Live } from '../../src/sync/live.ts'
import { Remote } from '../../src/sync/remote.ts'
import { Up } from '../../src/sync/up.ts'
import { until } from '../support/events.ts'
import { PodFolder } from '../support/pod-folder.ts'

const bounded = { timeout: 20_000 }
const target = { namespace: 'dev', pod: 'p', container: 'kuberun' }

suite('what is kept up', () => {
  test('is also what nobody tells of, however busy another file is', bounded, async () => {
    using local = mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
    using pod = new PodFolder()
    const root = join(local.path, 'root')
    mkdirSync(join(root, 'sub'), { recursive: true })
    writeFileSync(join(root, 'log'), '')
    writeFileSync(join(root, 'sub/x'), 'old')
    // What is changed by a name that is elsewhere, a watch does not tell.
    linkSync(join(root, 'sub/x'), join(local.path, 'elsewhere'))
    const sync = {
      dir: root,
      remoteDir: '/workspace',
      exclude: [],
      include: [],
      ignore: false,
      maxUpload: 1e9,
      once: false,
      strict: false,
    }
    const reporter = { warning: assert.fail, waiting: () => {}, note: () => {}, phase: () => {} }
    const { signal } = new AbortController()
    const open = () => Remote.open(pod.client, { target, shell: plainShell, signal })
    const up = new Up({ root, sync, reporter, signal })
    await up.tree.retake()
    {
      await using live = new Live(up, await open(), {
        reporter,
        signal,
        reopen: open,
        onApplied: () => {},
        rescanPause: 1_000,
      })
      await live.initial()
      const writing = setInterval(() => appendFileSync(join(root, 'log'), 'x'), 2)
      try {
        live.begin()
        await until(() => readFileSync(join(pod.root, 'log')).length > 0)
        writeFileSync(join(local.path, 'elsewhere'), 'new')
        await until(() => readFileSync(join(pod.root, 'sub/x'), 'utf8') === 'new')
      } finally {
        clearInterval(writing)
      }
    }
    await pod.idle()
  })
})
