import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { WebSocket } from 'ws'
import type { KubeClient } from '../../src/kube/client.ts'
import { plainShell } from '../../src/pod/shell.ts'
import { OnSync, type OnSyncOptions } from '../../src/sync/on-sync.ts'
import { until } from '../support/events.ts'
import { PodFolder } from '../support/pod-folder.ts'

const bounded = { timeout: 20_000 }
const target = { namespace: 'dev', pod: 'p', container: 'kuberun' }

/** A command that runs after batches, and what came of it. */
function after(pod: PodFolder, command: string, options: Partial<OnSyncOptions> = {}) {
  const over = new AbortController()
  const seen = { printed: '', failures: [] as string[] }
  const onSync = new OnSync({
    client: pod.client,
    target,
    shell: plainShell,
    remoteDir: pod.root,
    command,
    write: async ({ data }) => void (seen.printed += data.toString('latin1')),
    onFailure: (why) => seen.failures.push(why),
    signal: over.signal,
    ...options,
  })
  return { onSync, seen, over }
}

suite('what runs after a batch', () => {
  test('is told which paths have changed, byte for byte, in the remote root', bounded, async () => {
    using pod = new PodFolder()
    const { onSync, seen } = after(pod, 'printf "%s|%s;" "$PWD" "$WARP_CHANGED"')
    onSync.applied(["it's", '-n', '$(x)', '\udcff', 'a b'])
    await until(() => seen.printed.endsWith(';'))
    assert.equal(seen.printed, `${pod.root}|it's\n-n\n$(x)\n\xff\na b;`)
    await pod.idle()
  })

  test('is told "." where there are more than a variable takes', bounded, async () => {
    using pod = new PodFolder()
    const { onSync, seen } = after(pod, 'printf "%s;" "$WARP_CHANGED"')
    onSync.applied(Array.from({ length: 2_000 }, (_, n) => `${'\u65e5'.repeat(30)}${n}`))
    await until(() => seen.printed !== '' || seen.failures.length > 0)
    assert.deepEqual(seen, { printed: '.;', failures: [] })
    await pod.idle()
  })

  test('runs once more for all that came meanwhile, never twice at a time', bounded, async () => {
    using pod = new PodFolder()
    const { onSync, seen } = after(pod, 'mkdir one || exit 9; echo "$WARP_CHANGED"; rmdir one')
    onSync.applied(['a'])
    for (const path of ['b', 'c', 'b']) onSync.applied([path])
    await until(() => seen.printed.endsWith('c\n'))
    assert.deepEqual(seen, { printed: 'a\nb\nc\n', failures: [] })
    await pod.idle()
  })

  test('may fail, and runs again after the next batch', bounded, async () => {
    using pod = new PodFolder()
    const { onSync, seen } = after(pod, 'exit 3')
    for (const count of [1, 2]) {
      onSync.applied(['a'])
      await until(() => seen.failures.length === count)
    }
    assert.deepEqual(seen.failures, Array(2).fill('--on-sync ended with exit code 3'))
    await pod.idle()
  })

  test('leaves no connection where its output cannot be written', bounded, async () => {
    using pod = new PodFolder()
    const sockets: WebSocket[] = []
    const client: KubeClient = {
      ...pod.client,
      connect: async (request) => {
        const socket = await pod.client.connect(request)
        sockets.push(socket)
        return socket
      },
    }
    const closedStderr = new Error('stderr is closed')
    const { onSync, seen } = after(pod, 'echo x; until [ -e done ]; do :; done', {
      client,
      write: () => Promise.reject(closedStderr),
    })
    onSync.applied(['a'])
    await until(() => seen.failures.length > 0)
    assert.deepEqual(seen.failures, ['--on-sync could not be run: stderr is closed'])
    const closed = () => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED)
    await until(closed).finally(() => writeFileSync(join(pod.root, 'done'), ''))
    await pod.idle()
  })
})
