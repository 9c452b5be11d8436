import { constants } from 'node:os'
import type { RunSignal } from '../src/run/io.ts'

/** Those that end a process which has no word on them. QUIT is told by INT: shells ignore QUIT themselves. */
const names = ['HUP', 'INT', 'TERM', 'USR1', 'USR2'] as const

/**
 * The signals that our parent has set to be ignored: HUP by `nohup`, INT and QUIT by a script's `&`. They stay without
 * effect, as with ssh and kubectl. Node forgets them as it starts, so the stub notes them in the environment, from where
 * the note is taken. None where /proc does not tell.
 */
export function takeIgnoredSignals(environment: NodeJS.ProcessEnv): ReadonlySet<RunSignal> {
  const { KUBERUN_SIGIGN: mask = '' } = environment
  delete environment['KUBERUN_SIGIGN']
  if (!/^[0-9a-f]{1,16}$/.test(mask)) return new Set()
  const bits = BigInt(`0x${mask}`)
  const ignored = new Set<RunSignal>(names.filter((name) => (bits >> BigInt(constants.signals[`SIG${name}`] - 1)) & 1n))
  if (ignored.has('INT')) ignored.add('QUIT')
  return ignored
}
