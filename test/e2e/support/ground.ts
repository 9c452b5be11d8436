import { test } from 'node:test'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { hasNamespaces } from '../../support/container.ts'
import { full } from '../../support/full.ts'
import { ground, onSandbox, sh } from './programs.ts'
import { sandboxImages } from './sandbox-images.ts'

/** Why a test that wants what only a real cluster has does not run here. */
export function needsCluster(what: string): string | false {
  return onSandbox && `the sandbox has no ${what}`
}

/** Why a test that wants what only a sandbox does is not for a real cluster. */
export function needsSandbox(does: string): string | false {
  return !onSandbox && `only a sandbox ${does}`
}

/** Why a test does not run here of what other tests on this machine try already, with a server or a pod of their own. */
export const triedElsewhere = onSandbox && !full && 'is for a real cluster; with KUBERUN_TEST_FULL=1 also for a sandbox'

/** Why a test that takes long by itself does not run here. */
export const takesMinutes = onSandbox && 'takes minutes, and runs on a real cluster'

if ((await sh('kubectl version --client')).code !== 0) {
  await test('all tests of this file', { skip: 'needs kubectl' })
  process.exit()
}

/** The sandbox that the tests run on, if they do; `places` disposes of it. */
export const sandbox: Sandbox | undefined = onSandbox ? await start() : undefined

async function start(): Promise<Sandbox> {
  const protocol = ground === 'sandbox-v4' ? 'v4' : 'v5'
  const started = await startSandbox({ protocol, images: sandboxImages(), onError: (error) => console.error(error) })
  process.env['KUBECONFIG'] = started.kubeconfig
  return started
}

/** Whether the sandbox's containers are chroots, which see the processes of this machine. */
export const inChroots = onSandbox && !hasNamespaces && 'the sandbox has only chroots here'
