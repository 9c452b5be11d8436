import assert from 'node:assert/strict'
import { appendFileSync, linkSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { plainShell } from '../../src/pod/shell.ts'
import { Live, type LiveOptions } from '../../src/sync/live.ts'
import { Remote } from '../../src/sync/remote/remote.ts'
import { Up } from '../../src/sync/up.ts'
import { until } from '../support/events.ts'
import { PodFolder } from '../support/pod-folder.ts'
import { syncOptions } from '../support/run-options.ts'

const bounded = { timeout: 20_000 }
const target = { namespace: 'dev', pod: 'p', container: 'kuberun' }

/** A local folder that has gone up to a pod's, and what is to keep it up. */
async function kept(fill: (root: string) => void, options: Partial<LiveOptions> = {}) {
  const local = mkdtempDisposableSync(join(tmpdir(), 'kuberun-local-'))
  const root = join(local.path, 'root')
  mkdirSync(root)
  fill(root)
  const pod = new PodFolder()
  const warnings: string[] = []
  const reporter = {
    warning: (text: string) => void warnings.push(text),
    waiting: () => {},
    note: () => {},
    phase: () => {},
  }
  const sync = syncOptions(root)
  const { signal } = new AbortController()
  const reopen = () => Remote.open(pod.client, { target, shell: plainShell, remoteDir: '/workspace', signal })
  const up = new Up({ root, sync, reporter, signal })
  await up.tree.retake()
  const remote = await reopen()
  const live = new Live(up, remote, { reporter, signal, reopen, onApplied: () => {}, ...options })
  await live.initial()
  return {
    root,
    pod,
    warnings,
    remote,
    live,
    async [Symbol.asyncDispose]() {
      await live[Symbol.asyncDispose]()
      await pod.idle()
      pod[Symbol.dispose]()
      local[Symbol.dispose]()
    },
  }
}

function fillWithLink(root: string): void {
  mkdirSync(join(root, 'sub'))
  writeFileSync(join(root, 'log'), '')
  writeFileSync(join(root, 'sub/x'), 'old')
  // What is changed by a name that is elsewhere, a watch does not tell.
  linkSync(join(root, 'sub/x'), join(root, '../elsewhere'))
}

suite('what is kept up', () => {
  test('is also what nobody tells of, however busy another file is', bounded, async () => {
    await using it = await kept(fillWithLink, { rescanPause: 1_000 })
    const writing = setInterval(() => appendFileSync(join(it.root, 'log'), 'x'), 2)
    try {
      it.live.begin()
      await until(() => readFileSync(join(it.pod.root, 'log')).length > 0)
      writeFileSync(join(it.root, '../elsewhere'), 'new')
      await until(() => readFileSync(join(it.pod.root, 'sub/x'), 'utf8') === 'new')
    } finally {
      clearInterval(writing)
    }
    assert.deepEqual(it.warnings, [])
  })

  test('is said not to be there yet, with what to do', bounded, async () => {
    const full = new KuberunError('sync', 'the disk is full', { hint: 'send less' })
    await using it = await kept(() => {}, { reopen: () => Promise.reject(full) })
    it.live.begin()
    it.remote.close()
    writeFileSync(join(it.root, 'x'), '')
    const first = 'changes are not in the pod yet: the disk is full; it is tried again\n  send less'
    await until(() => it.warnings.includes(first))
  })
})
